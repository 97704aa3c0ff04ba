//! The cost of a decision over the number of agents, drawn.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

/// An SVG of the points, in nanoseconds over agents, with the line `base + slope · log₂ n`.
pub(crate) fn draw(points: &[(f64, f64)], base: f64, slope: f64) -> String {
    let most = points.iter().map(|(_, cost)| *cost).fold(base + slope * 100_000_f64.log2(), f64::max) * 1.15;
    let step = 10_f64.powf((most / 5.0).log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|by| by * step).into_iter().find(|step| most / step <= 6.0).unwrap_or(step);
    let x = |agents: f64| LEFT + (agents.log10() - 2.0) / 3.0 * (WIDTH - LEFT - RIGHT);
    let y = |cost: f64| HEIGHT - BOTTOM - cost / most * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"24\" \
         font-size=\"16\" fill=\"#1d2733\">What a decision costs: {base:.0} + {slope:.1} · log₂ n ns</text>\n"
    );
    let mut draw = |text: String| {
        let _ = writeln!(svg, "{text}");
    };
    let mut cost = 0.0;
    while cost <= most {
        let at = y(cost);
        draw(format!(
            "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#d8dee6\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" \
             fill=\"#5a6775\">{cost:.0} ns</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        ));
        cost += step;
    }
    for (power, name) in [(2, "²"), (3, "³"), (4, "⁴"), (5, "⁵")] {
        let at = x(10_f64.powi(power));
        draw(format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#5a6775\">10{name}</text>",
            HEIGHT - BOTTOM + 20.0
        ));
    }
    draw(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#5a6775\">agents</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 16.0
    ));
    let line = |agents: f64| format!("{:.1} {:.1}", x(agents), y(base + slope * agents.log2()));
    draw(format!(
        "<path d=\"M{}L{}\" stroke=\"#b0472f\" stroke-width=\"2\" stroke-dasharray=\"6 4\" fill=\"none\"/>",
        line(100.0),
        line(100_000.0)
    ));
    for (agents, cost) in points {
        draw(format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4.5\" fill=\"#1f5f99\"/>", x(*agents), y(*cost)));
    }
    draw("</svg>".to_owned());
    svg
}
