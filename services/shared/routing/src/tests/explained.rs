//! What is said of a decision.

use serde_json::json;

use super::{Customer, queue, routing, rule, stored};
use crate::{Said, Unmet};

#[test]
fn every_rule_says_why_and_the_queue_what_comes() {
    let resources = [
        stored(
            "Calendar",
            "office",
            &json!({ "time_zone": "America/Sao_Paulo", "hours": [{ "days": ["mon"], "from": "10:00", "to": "18:00" }] }),
        ),
        queue(
            "support",
            json!({
                "priority": 10, "aging": "5m", "hours": "office", "closed": { "then": "overflow", "to": "sales" },
                "sticky": {}, "agents_by": "least_occupied",
                "skills": { "required": [{ "skill": "billing", "level": 6 }], "preferred": [{ "skill": "tact" }] },
                "relax": [
                    { "after": "30s", "lower": 2 },
                    { "after": "1m", "lower": 2, "drop": ["billing", "selling"] },
                    { "after": "2m", "ring": 2 },
                ],
                "overflow": [{ "waiting": 50, "to": "sales" }, { "after": "90s", "to": "sales" }],
                "max_wait": { "after": "30m", "then": "callback" },
            }),
        ),
        queue("sales", json!({})),
        rule("chinese", &json!({ "order": 1, "queue": "sales", "match": { "languages": ["zh"] } })),
        rule("buyers", &json!({ "order": 2, "queue": "sales", "match": { "keywords": ["buy"] } })),
        rule("web", &json!({ "order": 3, "queue": "sales", "match": { "channels": ["webchat"] } })),
        rule("america", &json!({ "order": 4, "queue": "sales", "match": { "regions": ["default"] } })),
        rule("main", &json!({ "order": 5, "queue": "sales", "match": { "accounts": ["main"] } })),
        rule("night", &json!({ "order": 6, "queue": "sales", "when": "local.getHours() > 20" })),
        rule("gold", &json!({ "order": 7, "queue": "sales", "when": "contact.attributes.plan == 'gold'" })),
        rule(
            "vip",
            &json!({
                "order": 8, "queue": "support", "priority": 7, "when": "contact.attributes.vip == 'yes'",
                "skills": { "required": [{ "any": [{ "language": "pt", "level": 3 }, { "skill": "interpreter" }] }] },
            }),
        ),
        rule("everybody", &json!({ "order": 1000, "queue": "sales" })),
    ];
    let explained = Customer::brazilian("oi").ask(|facts| routing(&resources).explain(facts));
    let said: Vec<(&str, Said)> = explained.rules.iter().map(|asked| (&*asked.rule, asked.said)).collect();
    assert_eq!(
        said,
        [
            ("chinese", Said::Misses(Unmet::Language)),
            ("buyers", Said::Misses(Unmet::Keywords)),
            ("web", Said::Misses(Unmet::Channel)),
            ("america", Said::Misses(Unmet::Region)),
            ("main", Said::Misses(Unmet::Account)),
            ("night", Said::Misses(Unmet::When)),
            ("gold", Said::Misses(Unmet::WhenUnknown)),
            ("vip", Said::Decides),
            ("everybody", Said::Behind),
        ]
    );
    assert_eq!(
        explained.to_string(),
        "\
queue support, by rule vip
  priority  17: 10 of the queue, 7 of the rule; 1 more for every 5m of waiting
  language  pt-BR, as is known of the contact
  required  billing:6, for queue support
  required  any(lang-pt:3, interpreter:1), for rule vip
  preferred tact:1, for queue support
  preferred lang-pt-br:1, for the language
  agents    the last one first, if within 7d, waiting up to 30s for them; by preferred skills, then the least occupied
  no        1 chinese: the language is pt-BR
  no        2 buyers: none of its keywords is in the text
  no        3 web: the channel is sms
  no        4 america: the region is brazil
  no        5 main: the account is acme-br
  no        6 night: this does not hold: local.getHours() > 20
  no        7 gold: this hangs on something that is not known: contact.attributes.plan == 'gold'
  decides   8 vip
  behind    1000 everybody: is about it too, and comes later
  arrival   the queue is closed: on to queue sales
  arrival   if 50 wait already: on to queue sales
  after     30s: 2 levels less will do than at first
  after     1m: 4 levels less will do than at first
  after     1m: billing is no longer asked for
  after     1m: selling is no longer asked for, and never was
  after     1m30s: on to queue sales
  after     2m: agents up to ring 2 are asked
  after     30m: it becomes a callback
  opens     2026-11-23T13:00:00Z"
    );
}

#[test]
fn a_queue_that_is_not_there_is_said() {
    let explained = Customer::brazilian("oi").ask(|facts| routing(&[]).explain(facts));
    assert_eq!(
        explained.to_string(),
        "\
queue default, because no rule matches; there is no such queue, and nobody serves it
  priority  0: 0 of the queue, 0 of the rule
  language  pt-BR, as is known of the contact
  preferred lang-pt-br:1, for the language
  preferred lang-pt:1, for the language"
    );
}
