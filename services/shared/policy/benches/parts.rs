//! What the parts of a verdict cost: conditions, calendars, quiet hours, and words in what customers send.
//!
//! `cargo bench -p heliograph-policy --bench parts` prints nanoseconds for each.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the clock")]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use heliograph_domain::resources::{CalendarSpec, ChannelPolicySpec, Day, Hours, QuietHours};
use heliograph_policy::{
    Calendars, CompiledPolicy, ContactFacts, Direction, Facts, Hints,
    condition::PolicyCondition,
    find_region,
    schedule::{Quiet, Schedule},
};
use jiff::{Timestamp, tz::TimeZone};

const CONDITIONS: [&str; 12] = [
    "channel == 'sms'",
    "region.country == 'BR' && message.class == 'marketing'",
    "message.class in ['marketing', 'utility']",
    "region.country in ['AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT']",
    "contact.attributes['vip'] == 'yes'",
    "has(contact.last_inbound) && now - contact.last_inbound > duration('24h')",
    "contact.sent * 2 + 1 > 6 || region.confidence < 50",
    "'whatsapp' in contact.channels",
    "contact.channels.exists(c, c.startsWith('whats'))",
    "local.getHours() >= 9 && local.getHours() < 18 && local.getDayOfWeek() in [1, 2, 3, 4, 5]",
    "now.getHours() < 6",
    "contact.number.matches('^[+]55(11|21)')",
];

fn main() {
    let policy =
        CompiledPolicy::compile("default", 1, &ChannelPolicySpec::default(), &Calendars::new()).unwrap();
    let region = find_region(&policy, &Hints { number: Some("+5511987654321"), ..Hints::default() });
    let attributes =
        BTreeMap::from([("vip".to_owned(), "yes".to_owned()), ("plan".to_owned(), "a".to_owned())]);
    let now: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let facts = Facts {
        direction: Direction::Outbound,
        channel: Some("sms"),
        contact: ContactFacts {
            number: Some("+5511987654321"),
            channels: &["sms", "whatsapp"],
            attributes: Some(&attributes),
            last_inbound: Some("2026-11-20T15:00:00Z".parse().unwrap()),
            ..ContactFacts::default()
        },
        ..Facts::about(&region)
    };
    let local = now.in_tz("America/Sao_Paulo").unwrap();
    for text in CONDITIONS {
        let condition = PolicyCondition::parse(text).unwrap();
        measure(text, || condition.holds(black_box(&facts), now, Some(&local)));
    }

    let zones = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"]
        .map(|name| TimeZone::get(name).unwrap());
    let hours = Hours {
        days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
        from: "09:00".parse().unwrap(),
        to: "17:00".parse().unwrap(),
    };
    let calendar = CalendarSpec { time_zone: None, hours: vec![hours], holidays: Vec::new() };
    let schedule = Schedule::compile(&calendar).unwrap();
    let quiet = Quiet::new(QuietHours { from: "21:00".parse().unwrap(), to: "08:00".parse().unwrap() });
    let noon: Timestamp = "2026-11-23T18:00:00Z".parse().unwrap();
    let night: Timestamp = "2026-11-28T06:00:00Z".parse().unwrap();
    measure("open now, one zone", || schedule.next_open(black_box(noon), &zones[..1]));
    measure("open now, four zones", || schedule.next_open(black_box(noon), &zones));
    measure("closed until Monday, four zones", || schedule.next_open(black_box(night), &zones));
    measure("not quiet, one zone", || quiet.next_open(black_box(noon), &zones[..1]));
    measure("quiet, four zones", || quiet.next_open(black_box(night), &zones));

    measure("the word STOP", || policy.keyword("sms", black_box("Stop!"), "en-US"));
    let order = "Hi, where is my order 4711? It should have been here last Tuesday.";
    measure("no word", || policy.keyword("sms", black_box(order), "en-US"));
    measure("another channel", || policy.keyword("webchat", black_box(order), "en-US"));
}

/// Prints the best of ten runs.
fn measure<T>(what: &str, mut run: impl FnMut() -> T) {
    const TIMES: u32 = 200_000;
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let start = Instant::now();
        for _ in 0..TIMES {
            black_box(run());
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(TIMES));
    }
    println!("{best:9.1} ns  {what}");
}
