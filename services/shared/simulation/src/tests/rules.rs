//! The engine's rules in a scenario: hours, shifts, overflow, relaxation, callbacks, bots.

use super::{queue, same, summary};

/// Two queues and whoever serves them, one conversation at a time; customers come to `front`.
fn two(front: &str, times: &str, work: &str, agents: &[&str]) -> String {
    let one = |agents: &&str| {
        let capacity = if agents.contains("capacity") { "" } else { ", capacity: { chat: 1 }" };
        format!("  - {{ {agents}{capacity} }}\n")
    };
    let agents: String = agents.iter().map(one).collect();
    format!(
        "name: two\nlength: 24h\ncalendars:\n  day: {{ hours: [{{ from: \"09:00\", to: \"17:00\" }}] }}\nqueues:\n  front: \
         {{ wrap_up: 0s, {front} }}\n  back: {{ wrap_up: 0s }}\nwork:\n  - name: chats\n    queue: front\n    arrivals: {{ at: \
         [{times}] }}\n    service: {{ fixed: 30s }}\n{work}agents:\n{agents}"
    )
}

const NOBODY: &str = "name: nobody, count: 1, queues: [front], capacity: { voice: 1 }";
const DAY: &str = "name: day, count: 1, queues: [front], shifts: [{ from: \"08:00\", to: \"16:00\" }]";

#[test]
fn shifts_begin_and_end_and_work_in_hand_is_finished() {
    let found = summary(&two("priority: 0", "7h59m, 15h59m50s, 15h59m55s", "", &[DAY]));
    let front = queue(&found, "front");
    same(front.answered.mean, 2.0);
    same(front.waits.longest, 60.0);
    // The last one waits for tomorrow.
    same(front.unfinished.mean, 1.0);
    let day = &found.groups[0];
    // The second conversation goes on for 20 seconds after the shift.
    same(day.occupancy.unwrap().mean, 60.0 / (8.0 * 3_600.0 + 20.0));
    same(day.utilization.unwrap().mean, 60.0 / (8.0 * 3_600.0));
}

#[test]
fn closed_queues_turn_away_or_pass_on() {
    let agents = ["name: all, count: 1, queues: [front, back]"];
    let closing = summary(&two("hours: day, closed: { then: close }", "8h, 10h, 18h", "", &agents));
    let front = queue(&closing, "front");
    same(front.offered.mean, 3.0);
    same(front.answered.mean, 1.0);
    same(front.turned_away.mean, 2.0);
    let passing =
        summary(&two("hours: day, closed: { then: overflow, to: back }", "8h, 10h, 18h", "", &agents));
    same(queue(&passing, "back").answered.mean, 2.0);
    same(queue(&passing, "front").answered.mean, 1.0);
    let waiting = summary(&two("hours: day", "8h, 10h", "", &agents));
    same(queue(&waiting, "front").waits.longest, 3_600.0);
}

#[test]
fn work_that_waits_long_goes_on_to_another_queue_and_keeps_its_wait() {
    let agents = [NOBODY, "name: others, count: 1, queues: [back]"];
    let found = summary(&two("overflow: [{ after: 40s, to: back }]", "0s, 5m", "", &agents));
    let (front, back) = (queue(&found, "front"), queue(&found, "back"));
    same(front.overflowed.mean, 2.0);
    same(front.answered.mean, 0.0);
    same(back.answered.mean, 2.0);
    same(back.asa.unwrap().mean, 40.0);
    same(front.mean_queue.unwrap().mean, 80.0 / 86_400.0);
}

#[test]
fn rings_open_with_time() {
    let agents = [NOBODY, "name: second, count: 1, queues: [{ queue: front, ring: 2 }]"];
    let found = summary(&two("relax: [{ after: 25s, ring: 2 }]", "0s", "", &agents));
    let front = queue(&found, "front");
    same(front.relaxed.mean, 1.0);
    same(front.asa.unwrap().mean, 25.0);
}

#[test]
fn who_waits_too_long_is_called_back() {
    let front = "callback: true, max_wait: { after: 2m, then: callback }";
    let found = summary(&two(front, "7h50m", "    patience: { fixed: 5m }\n", &[DAY]));
    let front = queue(&found, "front");
    same(front.callbacks.mean, 1.0);
    same(front.abandoned.mean, 0.0);
    same(front.callback_wait.unwrap().mean, 600.0);
    // Nobody waits on the line after two minutes.
    same(front.mean_queue.unwrap().mean, 120.0 / 86_400.0);
}

#[test]
fn a_bot_takes_everybody_at_once_and_hands_over() {
    let bot = "name: bot, count: 1, queues: [front], capacity: { chat: 100 }, auto_accept: true, service: { fixed: 5s }, \
               hands_over: { share: 100%, to: back }";
    let found = summary(&two("priority: 0", "0s, 1s", "", &[bot, "name: people, count: 1, queues: [back]"]));
    let (front, back) = (queue(&found, "front"), queue(&found, "back"));
    same(front.answered.mean, 2.0);
    same(front.asa.unwrap().mean, 0.0);
    same(back.offered.mean, 2.0);
    // Handed over after 5 and 6 seconds; the second waits until the first is done after 35.
    same(back.asa.unwrap().mean, 29.0 / 2.0);
    same(found.groups[1].occupancy.unwrap().mean, 60.0 / 86_400.0);
}

#[test]
fn customers_who_return_are_offered_to_the_agent_they_know() {
    let times: Vec<String> = (0..200).map(|at| format!("{}s", at * 60)).collect();
    let (times, work) = (times.join(", "), "    returning: 100%\n");
    let agents = ["name: a, count: 1, queues: [front]", "name: b, count: 1, queues: [front]"];
    // The first customer comes again and again, and both agents are free each time.
    let most = |front: &str| {
        let found = summary(&two(front, &times, work, &agents));
        same(queue(&found, "front").answered.mean, 200.0);
        found.groups.iter().map(|group| group.answered.mean).fold(0.0, f64::max)
    };
    same(most("sticky: { remember: 1d }"), 200.0);
    same(most("priority: 0"), 100.0);
}
