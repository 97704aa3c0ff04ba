//! Which plots a report has.

use super::{
    bars::{Bar, Bars},
    lines::{Line, Lines},
    number::Unit,
    scale::Kind,
};
use crate::{
    measure::{GroupSummary, QueueSummary},
    study::Findings,
};

/// Every plot, as figures of HTML.
pub(super) fn figures(findings: &Findings) -> Vec<String> {
    let summary = &findings.summary;
    let (queues, groups) = (&summary.queues, &summary.groups);
    let over_time = Time::of(findings);
    let mut figures = vec![
        service_level(queues).figure(),
        occupancy(groups).figure(),
        waiting_times(queues).figure(),
        over_time.plot(
            "Waiting at a time, mean of the replications with its 95 % confidence",
            "customers",
            Kind::Number,
            queues,
            |queue| {
                let values = queue.series.waiting.iter().map(|at| at.map(|at| at.mean)).collect();
                let known =
                    |at: &Option<crate::measure::Estimate>| at.and_then(|at| at.half_width).unwrap_or(0.0);
                (values, queue.series.waiting.iter().map(known).collect())
            },
        ),
        over_time.plot(
            "Service level, by when they came",
            "share of the offered",
            Kind::Share,
            queues,
            |queue| (queue.series.service_level.clone(), Vec::new()),
        ),
        over_time.plot("Offered", "customers an hour", Kind::Number, queues, |queue| {
            (queue.series.offered.clone(), Vec::new())
        }),
        over_time.lines(
            "Occupancy",
            "share of the time online",
            Kind::Share,
            groups.iter().map(|group| (group.name.clone(), group.series.clone(), Vec::new())),
        ),
    ];
    if queues.iter().any(|queue| queue.abandoned.mean > 0.0) {
        figures.insert(
            4,
            over_time.plot(
                "Abandonment, by when they came",
                "share of the offered",
                Kind::Share,
                queues,
                |queue| (queue.series.abandonment.clone(), Vec::new()),
            ),
        );
    }
    if findings.daily {
        figures.push(over_time.lines(
            "Agents at work",
            "agents",
            Kind::Number,
            groups.iter().map(|group| {
                (group.name.clone(), group.at_work.iter().copied().map(Some).collect(), Vec::new())
            }),
        ));
    }
    if let Some(optimum) = &findings.optimum {
        let waits = [
            ("the engine", optimum.engine),
            ("best static policy", optimum.best_wait),
            ("first come, by lot", optimum.by_lot),
        ];
        let bars = waits.map(|(name, wait)| Bar {
            name: name.to_owned(),
            number: Some(wait),
            written: Unit::Measure.estimate(wait),
            goal: None,
        });
        let (title, label) = ("Mean wait beside static policies".to_owned(), "seconds".to_owned());
        figures.push(Bars { title, label, kind: Kind::Number, bars: bars.to_vec() }.figure());
    }
    figures
}

fn waiting_times(queues: &[QueueSummary]) -> Lines {
    let line = |queue: &QueueSummary| {
        let points = queue.waits.distribution.iter().map(|(at, share)| (*at, Some(*share))).collect();
        Line { name: queue.name.clone(), points, band: Vec::new() }
    };
    let ends = queues.iter().filter_map(|queue| queue.waits.distribution.last()).map(|(at, _)| *at);
    let end = ends.fold(1.0, f64::max);
    let mut targets: Vec<f64> =
        queues.iter().map(|queue| queue.target).filter(|target| *target < end).collect();
    targets.sort_by(f64::total_cmp);
    targets.dedup();
    // Several marks would stand on each other.
    let marks = match targets.as_slice() {
        [target] => vec![(*target, "target".to_owned())],
        _ => Vec::new(),
    };
    Lines {
        title: "Waiting time of the answered".to_owned(),
        x: ("waited no longer than".to_owned(), Kind::Length, (0.0, end)),
        y: ("share of the answered".to_owned(), Kind::Share),
        lines: queues.iter().map(line).collect(),
        marks,
        stepped: false,
    }
}

fn service_level(queues: &[QueueSummary]) -> Bars {
    let bar = |queue: &QueueSummary| Bar {
        name: queue.name.clone(),
        number: queue.service_level,
        written: Unit::Share.maybe(queue.service_level),
        goal: Some(queue.goal),
    };
    Bars {
        title: "Service level".to_owned(),
        label: "answered within the target, of all offered; dark: the goal".to_owned(),
        kind: Kind::Share,
        bars: queues.iter().map(bar).collect(),
    }
}

fn occupancy(groups: &[GroupSummary]) -> Bars {
    let bar = |group: &GroupSummary| Bar {
        name: group.name.clone(),
        number: group.occupancy,
        written: Unit::Share.maybe(group.occupancy),
        goal: None,
    };
    Bars {
        title: "Occupancy".to_owned(),
        label: "busy, of the time online".to_owned(),
        kind: Kind::Share,
        bars: groups.iter().map(bar).collect(),
    }
}

/// The time that plots are over.
struct Time {
    label: &'static str,
    kind: Kind,
    origin: f64,
    part: f64,
}

impl Time {
    fn of(findings: &Findings) -> Self {
        let (label, kind) = if findings.daily {
            ("time of the day", Kind::Clock)
        } else {
            ("time since the warm-up", Kind::Length)
        };
        Self { label, kind, origin: findings.origin, part: findings.part }
    }

    fn plot(
        &self,
        title: &str,
        label: &str,
        kind: Kind,
        queues: &[QueueSummary],
        of: impl Fn(&QueueSummary) -> (Vec<Option<f64>>, Vec<f64>),
    ) -> String {
        self.lines(
            title,
            label,
            kind,
            queues.iter().map(|queue| {
                let (values, band) = of(queue);
                (queue.name.clone(), values, band)
            }),
        )
    }

    #[allow(clippy::cast_precision_loss, reason = "there are a hundred parts")]
    fn lines(
        &self,
        title: &str,
        label: &str,
        kind: Kind,
        all: impl Iterator<Item = (String, Vec<Option<f64>>, Vec<f64>)>,
    ) -> String {
        let at = |part: usize| self.origin + self.part * part as f64;
        let mut parts = 1;
        let mut lines = Vec::new();
        for (name, values, band) in all {
            parts = parts.max(values.len());
            let points = values.into_iter().enumerate().map(|(part, value)| (at(part), value)).collect();
            lines.push(Line { name, points, band });
        }
        Lines {
            title: title.to_owned(),
            x: (self.label.to_owned(), self.kind, (at(0), at(parts))),
            y: (label.to_owned(), kind),
            lines,
            marks: Vec::new(),
            stepped: true,
        }
        .figure()
    }
}
