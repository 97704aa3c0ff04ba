//! What is printed and drawn.

use super::{files::samples, findings};
use crate::report;

#[test]
fn a_report_names_everything_and_draws_only_numbers() {
    for folder in ["", "erlang", "optimum"] {
        let (name, mut scenario) = samples(folder).remove(0);
        scenario.replications = 2;
        scenario.length = heliograph_domain::resources::Period::seconds(36_000);
        let found = findings(&scenario);
        let (tables, page) = (report::tables(&found), report::page(&found));
        for queue in scenario.queues.keys() {
            assert!(tables.contains(queue) && page.contains(queue), "{name}: {queue}");
        }
        for group in &scenario.agents {
            assert!(tables.contains(&group.name) && page.contains(&group.name), "{name}: {}", group.name);
        }
        for text in [&tables, &page] {
            assert!(!text.contains("NaN") && !text.contains("inf "), "{name}");
        }
        // One page, which needs nothing else.
        assert!(!page.contains("http") && !page.contains("<script"), "{name}");
        for tag in ["figure", "table", "svg", "section", "g", "tr", "div", "dl"] {
            let opened =
                page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
        }
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["summary"]["queues"].as_array().unwrap().len(), scenario.queues.len());
    }
}

#[test]
fn a_day_without_anybody_has_a_report_too() {
    let text = "name: <nobody>\nlength: 1h\nreplications: 1\nqueues:\n  chat: {}\nwork:\n  - { name: none, queue: chat, arrivals: \
                { at: [] }, service: { fixed: 1m } }\nagents:\n  - { name: team, count: 1, queues: [chat] }\n";
    let found = findings(&super::scenario(text));
    let page = report::page(&found);
    assert!(page.contains("&lt;nobody&gt;") && !page.contains("NaN") && !page.contains("<nobody>"));
    assert!(report::tables(&found).contains("–"));
}
