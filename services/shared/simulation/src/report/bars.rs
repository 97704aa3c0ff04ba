//! Plots with bars: one number for each of several things.

use std::fmt::Write as _;

use super::{
    lines::{WIDTH, escaped, figure},
    scale::{Kind, Scale},
};
use crate::measure::Estimate;

const ROW: f64 = 34.0;
const BAR: f64 = 16.0;
const NAMES: f64 = 150.0;
const NUMBERS: f64 = 110.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 42.0;
/// Characters of a name that there is room for.
const NAME: usize = 21;

/// A plot with bars.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bars {
    pub(super) title: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) bars: Vec<Bar>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) number: Option<Estimate>,
    /// The number as it is written beside the bar.
    pub(super) written: String,
    /// Where it should be.
    pub(super) goal: Option<f64>,
}

impl Bars {
    /// The plot as a figure of HTML.
    #[allow(clippy::cast_precision_loss, reason = "bars are few")]
    pub(super) fn figure(&self) -> String {
        let foot = TOP + ROW * self.bars.len() as f64;
        let known = self.bars.iter().filter_map(|bar| bar.number);
        let most = known.map(|number| number.mean + number.half_width.unwrap_or(0.0)).fold(0.0, f64::max);
        let places = (NAMES, WIDTH - NUMBERS);
        let x = match self.kind {
            // Shares are seen against the whole.
            Kind::Share => Scale::new(Kind::Share, (0.0, 1.0), places),
            kind => Scale::above(kind, most, places),
        };
        let mut svg = String::new();
        for tick in x.ticks(4.0) {
            let place = x.place(tick);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{place:.1}" x2="{place:.1}" y1="{TOP}" y2="{foot:.1}"/><text class="tick x" x="{place:.1}" y="{:.1}">{}</text>"#,
                foot + 15.0,
                x.write(tick)
            );
        }
        for (at, bar) in self.bars.iter().enumerate() {
            bar.draw(&mut svg, &x, TOP + ROW * (at as f64 + 0.5));
        }
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{NAMES}" x2="{NAMES}" y1="{TOP}" y2="{foot:.1}"/><text class="label" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            WIDTH - NUMBERS,
            foot + BOTTOM - 8.0,
            escaped(&self.label)
        );
        figure(&self.title, &svg, foot + BOTTOM, "")
    }
}

impl Bar {
    fn draw(&self, svg: &mut String, x: &Scale, middle: f64) {
        let Self { name, number, written, goal } = self;
        let short = if name.chars().count() > NAME {
            format!("{}…", name.chars().take(NAME - 1).collect::<String>())
        } else {
            name.to_owned()
        };
        let _ = write!(
            svg,
            r#"<g><title>{}: {}</title><text class="name" x="{:.1}" y="{:.1}">{}</text>"#,
            escaped(name),
            escaped(written),
            NAMES - 10.0,
            middle + 4.0,
            escaped(&short)
        );
        if let Some(Estimate { mean, half_width }) = *number {
            let end = x.place(mean);
            let (top, radius) = (middle - BAR / 2.0, 4.0_f64.min((end - NAMES).max(0.0)));
            // Round at the end that says how much, square at the axis.
            let _ = write!(
                svg,
                r#"<path class="bar" d="M{NAMES} {top:.1}H{:.1}q{radius:.1} 0 {radius:.1} {radius:.1}v{:.1}q0 {radius:.1} -{radius:.1} {radius:.1}H{NAMES}Z"/>"#,
                end - radius,
                BAR - 2.0 * radius
            );
            if let Some(half) = half_width.filter(|half| *half > 0.0) {
                let (low, high) = (x.place((mean - half).max(0.0)), x.place(mean + half));
                let _ = write!(
                    svg,
                    r#"<path class="whisker" d="M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8"/>"#,
                    middle - 4.0,
                    middle - 4.0
                );
            }
        }
        let _ = write!(
            svg,
            r#"<text class="value" x="{:.1}" y="{:.1}">{}</text></g>"#,
            WIDTH - NUMBERS + 14.0,
            middle + 4.0,
            escaped(written)
        );
        if let Some(goal) = goal {
            let place = x.place(*goal);
            let _ = write!(
                svg,
                r#"<path class="goal" d="M{place:.1} {:.1}v{BAR}"><title>goal: {}</title></path>"#,
                middle - BAR / 2.0,
                x.write(*goal)
            );
        }
    }
}
