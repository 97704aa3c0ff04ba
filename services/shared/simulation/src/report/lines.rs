//! Plots with lines.

use std::fmt::Write as _;

use super::scale::{Kind, Scale};

/// Size of a plot, in its own units, and of its margins.
pub(super) const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 44.0;

/// Colours there are; more lines than that begin again.
const COLOURS: usize = 8;

/// A plot with lines over one axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lines {
    pub(super) title: String,
    pub(super) x: (String, Kind, (f64, f64)),
    pub(super) y: (String, Kind),
    pub(super) lines: Vec<Line>,
    /// Values of x that are marked, and what they are.
    pub(super) marks: Vec<(f64, String)>,
    /// Whether each value holds until the next, as counts over stretches of time do.
    pub(super) stepped: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    /// Values by x; a gap where there is none.
    pub(super) points: Vec<(f64, Option<f64>)>,
    /// What it is known within, above and below; zeros where that is not known.
    pub(super) band: Vec<f64>,
}

impl Lines {
    /// The plot as a figure of HTML.
    pub(super) fn figure(&self) -> String {
        let (label, kind, ends) = &self.x;
        let x = Scale::new(*kind, *ends, (LEFT, WIDTH - RIGHT));
        let y = Scale::above(self.y.1, self.most(), (HEIGHT - BOTTOM, TOP));
        let mut svg = String::new();
        axes(&mut svg, &x, &y, label, &self.y.0);
        for (at, what) in &self.marks {
            let place = x.place(*at);
            let _ = write!(
                svg,
                r#"<line class="mark" x1="{place:.1}" x2="{place:.1}" y1="{TOP}" y2="{:.1}"/><text class="marked" x="{:.1}" y="{:.1}">{}</text>"#,
                HEIGHT - BOTTOM,
                place + 4.0,
                TOP + 9.0,
                escaped(what)
            );
        }
        for (at, line) in self.lines.iter().enumerate() {
            self.draw(&mut svg, at % COLOURS, line, &x, &y);
        }
        figure(&self.title, &svg, HEIGHT, &self.legend())
    }

    fn most(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| {
            let bands = line.band.iter().copied().chain(std::iter::repeat(0.0));
            line.points.iter().zip(bands).filter_map(|((_, y), band)| y.map(|y| y + band))
        });
        values.fold(0.0, f64::max)
    }

    fn draw(&self, svg: &mut String, colour: usize, line: &Line, x: &Scale, y: &Scale) {
        let _ = write!(svg, r#"<g class="c{colour}">"#);
        for run in runs(line) {
            if run.iter().any(|(_, _, band)| *band > 0.0) {
                let upper = run.iter().map(|(at, value, band)| (*at, value + band));
                let lower = run.iter().rev().map(|(at, value, band)| (*at, (value - band).max(0.0)));
                let path: Vec<(f64, f64)> =
                    upper.chain(lower).map(|(at, v)| (x.place(at), y.place(v))).collect();
                let _ = write!(svg, r#"<path class="band" d="{}Z"/>"#, path_of(&path));
            }
            let mut path: Vec<(f64, f64)> =
                run.iter().map(|(at, v, _)| (x.place(*at), y.place(*v))).collect();
            if self.stepped {
                path = stepped(&path, x.place(self.x.2.1));
            }
            let _ = write!(svg, r#"<path class="line" d="{}"/>"#, path_of(&path));
            for (at, value, band) in run {
                let band = if band > 0.0 { format!(" ±{}", y.write(band)) } else { String::new() };
                let _ = write!(
                    svg,
                    r#"<circle class="hit" cx="{:.1}" cy="{:.1}" r="5"><title>{}, {}: {}{band}</title></circle>"#,
                    x.place(at),
                    y.place(value),
                    escaped(&line.name),
                    x.write(at),
                    y.write(value)
                );
            }
        }
        svg.push_str("</g>");
    }

    fn legend(&self) -> String {
        if self.lines.len() < 2 {
            return String::new();
        }
        let entry = |(at, line): (usize, &Line)| {
            format!(r#"<li class="c{}"><i></i>{}</li>"#, at % COLOURS, escaped(&line.name))
        };
        let entries: String = self.lines.iter().enumerate().map(entry).collect();
        format!(r#"<ul class="legend">{entries}</ul>"#)
    }
}

/// The stretches of a line without a gap: x, y, and what it is known within.
fn runs(line: &Line) -> Vec<Vec<(f64, f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for (at, (x, y)) in line.points.iter().enumerate() {
        let band = line.band.get(at).copied().unwrap_or(0.0);
        match (y, runs.last_mut()) {
            (Some(y), Some(run)) => run.push((*x, *y, band)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Each value held until the next one, and the last until its stretch ends.
fn stepped(path: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let width = path.get(1).map_or(0.0, |second| second.0 - path[0].0);
    let mut steps = Vec::with_capacity(2 * path.len());
    for (at, (x, y)) in path.iter().enumerate() {
        let next = path.get(at + 1).map_or((x + width).min(end), |next| next.0);
        steps.extend([(*x, *y), (next, *y)]);
    }
    steps
}

fn path_of(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
    }
    path
}

fn axes(svg: &mut String, x: &Scale, y: &Scale, x_label: &str, y_label: &str) {
    for tick in y.ticks(4.0) {
        let place = y.place(tick);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{place:.1}" y2="{place:.1}"/><text class="tick y" x="{:.1}" y="{:.1}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 8.0,
            place + 3.5,
            y.write(tick)
        );
    }
    let foot = HEIGHT - BOTTOM;
    for tick in x.ticks(8.0) {
        let place = x.place(tick);
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{place:.1}" x2="{place:.1}" y1="{foot:.1}" y2="{:.1}"/><text class="tick x" x="{place:.1}" y="{:.1}">{}</text>"#,
            foot + 4.0,
            foot + 17.0,
            x.write(tick)
        );
    }
    let _ = write!(
        svg,
        r#"<line class="axis" x1="{LEFT}" x2="{:.1}" y1="{foot:.1}" y2="{foot:.1}"/><text class="label" x="{:.1}" y="{:.1}" text-anchor="end">{}</text><text class="label" x="0" y="12">{}</text>"#,
        WIDTH - RIGHT,
        WIDTH - RIGHT,
        HEIGHT - 8.0,
        escaped(x_label),
        escaped(y_label)
    );
}

/// A figure with its caption, legend and plot.
pub(super) fn figure(title: &str, svg: &str, height: f64, legend: &str) -> String {
    let title = escaped(title);
    format!(
        r#"<figure><figcaption>{title}</figcaption>{legend}<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">{svg}</svg></figure>"#
    )
}

/// Text as it may stand in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_line_stays_a_gap() {
        let points = vec![(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None), (3.0, Some(4.0))];
        let line = Line { name: "a <b>".to_owned(), points, band: vec![0.5, 0.0] };
        assert_eq!(runs(&line), [vec![(0.0, 1.0, 0.5), (1.0, 2.0, 0.0)], vec![(3.0, 4.0, 0.0)]]);
        let plot = Lines {
            title: "A plot".to_owned(),
            x: ("time".to_owned(), Kind::Number, (0.0, 4.0)),
            y: ("many".to_owned(), Kind::Number),
            lines: vec![line],
            marks: Vec::new(),
            stepped: true,
        };
        let figure = plot.figure();
        assert_eq!(figure.matches(r#"class="line""#).count(), 2);
        assert!(figure.contains("a &lt;b&gt;, 1: 2") && !figure.contains("<b>"));
        assert!(!figure.contains("NaN") && !figure.contains("inf"));
    }
}
