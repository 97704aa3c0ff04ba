//! Few customers at known times: every number can be told beforehand.

use super::{queue, run, same, summary};

/// One agent with one conversation at a time, customers at 0, 10 and 20 seconds with half a minute of work each, and what
/// else is said.
fn three(queue: &str, work: &str, agents: &str) -> String {
    let capacity = if agents.contains("capacity") { "" } else { "    capacity: { chat: 1 }\n" };
    format!(
        "name: three\nlength: 10m\nqueues:\n  chat: {{ {queue} }}\nwork:\n  - name: chats\n    queue: chat\n    \
         arrivals: {{ at: [0s, 10s, 20s] }}\n    service: {{ fixed: 30s }}\n{work}agents:\n  - name: team\n    count: 1\n    \
         queues: [chat]\n{capacity}{agents}"
    )
}

#[test]
fn customers_wait_for_one_agent_one_after_the_other() {
    let found = summary(&three("wrap_up: 0s", "", ""));
    let chat = queue(&found, "chat");
    same(chat.answered.mean, 3.0);
    // They wait 0, 20 and 40 seconds.
    same(chat.asa.unwrap().mean, 20.0);
    same(chat.mean_wait.unwrap().mean, 20.0);
    same(chat.p_wait.unwrap().mean, 2.0 / 3.0);
    same(chat.service_level.unwrap().mean, 2.0 / 3.0);
    same(chat.waits.longest, 40.0);
    same(chat.mean_queue.unwrap().mean, 60.0 / 600.0);
    same(found.groups[0].occupancy.unwrap().mean, 90.0 / 600.0);
    same(found.groups[0].utilization.unwrap().mean, 90.0 / 600.0);
    // The queue grows at 10 and 20 seconds and shrinks at 30 and 60; each part of the grid is 6.25 seconds long.
    let part = |seconds: f64| chat.series.waiting[(seconds / 6.25) as usize].unwrap().mean;
    same(part(4.0), 0.0);
    same(part(22.0), 1.8);
    same(part(45.0), 1.0);
    same(part(70.0), 0.0);
}

#[test]
fn who_runs_out_of_patience_leaves_and_is_not_served() {
    let found = summary(&three("wrap_up: 0s", "    patience: { fixed: 15s }\n", ""));
    let chat = queue(&found, "chat");
    same(chat.answered.mean, 2.0);
    same(chat.abandoned.mean, 1.0);
    same(chat.abandonment.unwrap().mean, 1.0 / 3.0);
    // The second leaves after 15 seconds; the third is answered after 10.
    same(chat.mean_wait.unwrap().mean, 25.0 / 3.0);
    same(chat.asa.unwrap().mean, 5.0);
}

#[test]
fn ringing_is_waiting_but_no_agent_is_missing() {
    let found = summary(&three("wrap_up: 0s, ring_timeout: 10s", "", "    answers_after: { fixed: 5s }\n"));
    let chat = queue(&found, "chat");
    // 5; answered at 40 after 35 seconds: 0 + 5 + 30 + 5 - 10 = 30; and 0 + 3 × 5 + 2 × 30 - 20 = 55.
    same(chat.asa.unwrap().mean, (5.0 + 30.0 + 55.0) / 3.0);
    same(chat.p_wait.unwrap().mean, 2.0 / 3.0);
    // It rings on the agent's time.
    same(found.groups[0].occupancy.unwrap().mean, 105.0 / 600.0);
}

#[test]
fn offers_that_ring_out_send_the_agent_away_and_the_work_back() {
    let agents = "    misses: 100%\n    back_after: { fixed: 1m }\n";
    let found = summary(&three("wrap_up: 0s, ring_timeout: 15s", "    patience: { fixed: 2m }\n", agents));
    let chat = queue(&found, "chat");
    // It rings from 0 to 15, from 75 to 90, and from 150 to 165 nobody is there any more to be asked for.
    same(chat.answered.mean, 0.0);
    same(chat.abandoned.mean, 3.0);
    same(chat.rona.mean, 2.0);
    same(found.groups[0].rona.mean, 2.0);
    let team = &found.groups[0];
    // Busy while it rings; at work all the time; there only while online.
    same(team.utilization.unwrap().mean, 30.0 / 600.0);
    assert!(team.occupancy.unwrap().mean > team.utilization.unwrap().mean);
}

#[test]
fn offers_that_are_turned_down_go_to_the_next() {
    let text = three("wrap_up: 0s", "", "    rejects: 100%\n")
        + "  - { name: others, count: 1, queues: [chat], capacity: { chat: 1 }, answers_after: { fixed: 1s } }\n";
    let found = summary(&text);
    let chat = queue(&found, "chat");
    same(chat.answered.mean, 3.0);
    same(found.groups[1].answered.mean, 3.0);
    assert!(chat.rejected.mean >= 1.0, "{chat:?}");
}

#[test]
fn wrap_up_takes_the_agents_time_and_ends_when_they_say_so() {
    let slow = summary(&three("wrap_up: 10s", "", ""));
    same(queue(&slow, "chat").asa.unwrap().mean, (0.0 + 30.0 + 60.0) / 3.0);
    same(slow.groups[0].occupancy.unwrap().mean, 120.0 / 600.0);
    let quick = summary(&three("wrap_up: 10s", "    wrap_up: { fixed: 4s }\n", ""));
    same(queue(&quick, "chat").asa.unwrap().mean, (0.0 + 24.0 + 48.0) / 3.0);
}

#[test]
fn faster_agents_need_less_time() {
    let found = summary(&three("wrap_up: 0s", "", "    speed: 2\n"));
    same(queue(&found, "chat").asa.unwrap().mean, (0.0 + 5.0 + 10.0) / 3.0);
    let found = summary(&three("wrap_up: 0s", "", "    speed: { chats: 0.5 }\n"));
    same(queue(&found, "chat").asa.unwrap().mean, (0.0 + 50.0 + 100.0) / 3.0);
}

#[test]
fn an_agent_with_room_for_three_has_three_at_a_time() {
    let found = summary(&three("wrap_up: 0s", "", "    capacity: { chat: 3 }\n"));
    same(queue(&found, "chat").asa.unwrap().mean, 0.0);
    same(found.groups[0].occupancy.unwrap().mean, 90.0 / 3.0 / 600.0);
}

#[test]
fn what_comes_in_the_warm_up_is_not_counted() {
    let text = three("wrap_up: 0s", "", "").replace("length: 10m", "length: 10m\nwarm_up: 15s");
    let found = summary(&text);
    let chat = queue(&found, "chat");
    same(chat.offered.mean, 1.0);
    same(chat.asa.unwrap().mean, 40.0);
    same(found.groups[0].occupancy.unwrap().mean, 75.0 / 600.0);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let text = "name: again\nlength: 5h\nqueues:\n  chat: { wrap_up: 0s }\nwork:\n  - name: chats\n    queue: chat\n    arrivals: { poisson: \
                { per_hour: 100 } }\n    service: { lognormal: { mean: 3m, sd: 2m } }\n    patience: { exponential: 1m }\nagents:\n  \
                - { name: team, count: 5, queues: [chat], capacity: { chat: 1 }, misses: 5%, answers_after: { uniform: { from: 1s, to: 8s } } }\n";
    let one = run(text);
    assert_eq!(one, run(text));
    assert!(one.customers() > 400 && one.entries() > 1_000 && one.decisions() > one.entries());
    let other = crate::Plan::new(&super::scenario(text)).replicate(1, 1);
    assert_ne!(one, other);
}
