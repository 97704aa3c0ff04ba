//! The tables of a report.

use super::number::Unit;
use crate::{
    closed_form::ClosedForm,
    ideal::Optimal,
    measure::{Estimate, GroupSummary, QueueSummary},
    study::Findings,
};

/// A table: the first column names the row, the others are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What is to be known to read it; may be empty.
    pub(super) note: String,
}

impl Table {
    fn new(title: &str, columns: &[&str], note: &str) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new(), note: note.to_owned() }
    }

    /// Leaves out columns in which nothing ever happened, but for the first `kept`.
    fn without_idle(mut self, kept: usize) -> Self {
        let idle = |column: usize| self.rows.iter().all(|row| matches!(row[column].as_str(), "0" | "–"));
        let used: Vec<usize> =
            (0..self.columns.len()).filter(|column| *column < kept || !idle(*column)).collect();
        self.columns = used.iter().map(|column| self.columns[*column].clone()).collect();
        for row in &mut self.rows {
            *row = used.iter().map(|column| row[*column].clone()).collect();
        }
        self
    }
}

/// All tables of a report.
pub(super) fn tables(findings: &Findings) -> Vec<Table> {
    let (queues, groups) = (&findings.summary.queues, &findings.summary.groups);
    let mut tables = vec![service(queues), became(queues), waits(queues), rules(queues), agents(groups)];
    tables.retain(|table| table.columns.len() > 1);
    tables.extend(findings.closed_form.as_ref().map(closed_form));
    tables.extend(findings.optimum.as_ref().map(optimum));
    if !findings.summary.refused.is_empty() {
        let mut table = Table::new(
            "Refused by the engine",
            &["code", "commands"],
            "The scenario asks for something that its engine does not do.",
        );
        for (code, count) in &findings.summary.refused {
            table.rows.push(vec![code.clone(), count.to_string()]);
        }
        tables.push(table);
    }
    tables
}

fn service(queues: &[QueueSummary]) -> Table {
    let mut table = Table::new(
        "Service",
        &[
            "queue",
            "goal",
            "service level",
            "P(wait)",
            "ASA (s)",
            "mean wait (s)",
            "abandonment",
            "mean queue",
        ],
        "Service level: answered within the target, of all offered. P(wait): no agent was free. ASA: mean wait of the \
         answered. Mean wait: of the answered and those who left.",
    );
    for queue in queues {
        table.rows.push(vec![
            queue.name.clone(),
            goal(queue),
            Unit::Share.maybe(queue.service_level),
            Unit::Share.maybe(queue.p_wait),
            Unit::Measure.maybe(queue.asa),
            Unit::Measure.maybe(queue.mean_wait),
            Unit::Share.maybe(queue.abandonment),
            Unit::Measure.maybe(queue.mean_queue),
        ]);
    }
    table
}

fn became(queues: &[QueueSummary]) -> Table {
    let mut table = Table::new(
        "What became of the offered",
        &[
            "queue",
            "offered",
            "answered",
            "abandoned",
            "overflowed",
            "turned away",
            "callbacks",
            "waiting at the end",
        ],
        "A replication's mean.",
    );
    for queue in queues {
        let counts = [
            queue.offered,
            queue.answered,
            queue.abandoned,
            queue.overflowed,
            queue.turned_away,
            queue.callbacks,
            queue.unfinished,
        ];
        table.rows.push(counted(&queue.name, &counts));
    }
    table.without_idle(3)
}

fn waits(queues: &[QueueSummary]) -> Table {
    let mut table = Table::new(
        "Waits of the answered (s)",
        &["queue", "50 %", "90 %", "95 %", "99 %", "longest"],
        "So many waited no longer.",
    );
    for queue in queues {
        let waits = &queue.waits;
        let mut row = vec![queue.name.clone()];
        row.extend([waits.p50, waits.p90, waits.p95, waits.p99].map(|wait| Unit::Measure.maybe(wait)));
        row.push(Unit::Measure.write(waits.longest));
        table.rows.push(row);
    }
    table
}

fn rules(queues: &[QueueSummary]) -> Table {
    let mut table = Table::new(
        "Rules at work",
        &[
            "queue",
            "relaxed",
            "rang out",
            "rejected",
            "told (s)",
            "waited (s)",
            "off by (s)",
            "called back after (s)",
        ],
        "Told, waited, off by: the wait that was estimated for those who had to wait, the one they had, and how far the two \
         lay apart.",
    );
    for queue in queues {
        let mut row = counted(&queue.name, &[queue.relaxed, queue.rona, queue.rejected]);
        let waits = [queue.told, queue.told_waited, queue.told_error, queue.callback_wait];
        row.extend(waits.map(|wait| Unit::Measure.maybe(wait)));
        table.rows.push(row);
    }
    table.without_idle(1)
}

fn agents(groups: &[GroupSummary]) -> Table {
    let mut table = Table::new(
        "Agents",
        &["group", "agents", "occupancy", "utilization", "answered", "rang out", "rejected"],
        "Occupancy: busy, of the time online. Utilization: busy, of the time at work.",
    );
    for group in groups {
        let mut row = vec![
            group.name.clone(),
            group.agents.to_string(),
            Unit::Share.maybe(group.occupancy),
            Unit::Share.maybe(group.utilization),
        ];
        row.extend([group.answered, group.rona, group.rejected].map(|count| Unit::Count.estimate(count)));
        table.rows.push(row);
    }
    table.without_idle(5)
}

fn closed_form(form: &ClosedForm) -> Table {
    let mut table = Table::new(
        &format!("Beside the closed form of {}", form.model),
        &["measure", "exact", "simulated", "error", "± 95 %", ""],
        "With what went with arrivals and work by chance taken out (control variates).",
    );
    if let Some(within) = form.within {
        table.note = format!("{} Asked: both within {:.1} %.", table.note, within * 100.0);
    }
    for row in &form.rows {
        let verdict = form.within.map_or("", |within| if row.is_within(within) { "ok" } else { "MISSED" });
        table.rows.push(vec![
            row.measure.to_owned(),
            format!("{:.4}", row.exact),
            format!("{:.4}", row.simulated.mean),
            signed(row.error),
            row.precision.map_or_else(|| "–".to_owned(), |precision| format!("{:.2} %", precision * 100.0)),
            verdict.to_owned(),
        ]);
    }
    table
}

fn optimum(optimum: &Optimal) -> Table {
    let mut table = Table::new(
        "Beside the best static policy",
        &["policy", "mean wait (s)", "engine is longer by", "± 95 %", ""],
        &format!("{} static policies were tried. The best: {}.", optimum.tried, optimum.best),
    );
    if let Some(within) = optimum.within {
        table.note = format!(
            "{} Asked: the engine within {:.1} % of it, and ahead of drawing lots.",
            table.note,
            within * 100.0
        );
    }
    let verdict = |holds: bool| {
        if optimum.within.is_none() {
            ""
        } else if holds {
            "ok"
        } else {
            "MISSED"
        }
    };
    let mut row = |name: &str, wait: Estimate, gap: Option<(Estimate, &str)>| {
        let mut cells = vec![name.to_owned(), Unit::Measure.estimate(wait)];
        match gap {
            Some((gap, verdict)) => {
                let half =
                    gap.half_width.map_or_else(|| "–".to_owned(), |half| format!("{:.2} %", half * 100.0));
                cells.extend([signed(gap.mean), half, verdict.to_owned()]);
            }
            None => cells.extend(["", "", ""].map(str::to_owned)),
        }
        table.rows.push(cells);
    };
    row("the engine", optimum.engine, None);
    let near = optimum.within.is_none_or(|within| optimum.gap.mean <= within);
    row("best static policy", optimum.best_wait, Some((optimum.gap, verdict(near))));
    let ahead = optimum.against_lot.mean < 0.0;
    row("first come, by lot", optimum.by_lot, Some((optimum.against_lot, verdict(ahead))));
    table
}

/// Such as `80 % in 20 s`.
fn goal(queue: &QueueSummary) -> String {
    format!("{} % in {} s", Unit::plain(queue.goal * 100.0), Unit::plain(queue.target))
}

fn counted(name: &str, counts: &[Estimate]) -> Vec<String> {
    let counts = counts.iter().map(|count| Unit::Count.estimate(*count));
    [name.to_owned()].into_iter().chain(counts).collect()
}

fn signed(share: f64) -> String {
    format!("{:+.2} %", share * 100.0)
}
