//! The report as one page: no scripts, nothing fetched.

use std::fmt::Write as _;

use super::{
    lines::escaped,
    number::Unit,
    plots,
    table::{self, Table},
    text::subtitle,
};
use crate::study::Findings;

const STYLE: &str = include_str!("style.css");

/// The report as a page of HTML that stands by itself.
pub fn page(findings: &Findings) -> String {
    let name = escaped(&findings.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{name}</h1>\n"
    );
    if !findings.about.is_empty() {
        let _ = writeln!(page, "<p class=\"about\">{}</p>", escaped(&findings.about));
    }
    let _ = writeln!(page, "<p class=\"runs\">{}</p>\n</header>", escaped(&subtitle(findings)));
    tiles(&mut page, findings);
    page.push_str("<section class=\"plots\">\n");
    for figure in plots::figures(findings) {
        page.push_str(&figure);
        page.push('\n');
    }
    page.push_str("</section>\n<section class=\"tables\">\n");
    for table in table::tables(findings) {
        write_table(&mut page, &table);
    }
    page.push_str("</section>\n</main>\n</body>\n</html>\n");
    page
}

/// What matters of each queue, at a glance.
fn tiles(page: &mut String, findings: &Findings) {
    page.push_str("<section class=\"tiles\">\n");
    for queue in &findings.summary.queues {
        let big = queue.service_level.map_or_else(|| "–".to_owned(), |level| Unit::Share.write(level.mean));
        let asa =
            queue.asa.map_or_else(|| "–".to_owned(), |asa| format!("{} s", Unit::Measure.write(asa.mean)));
        let left = queue.abandonment.map_or_else(|| "–".to_owned(), |left| Unit::Share.write(left.mean));
        let _ = writeln!(
            page,
            "<div class=\"tile\"><h2>{}</h2><p class=\"big\">{big}</p><p>answered within {} s · goal {} %</p>\
             <dl><div><dt>ASA</dt><dd>{asa}</dd></div><div><dt>abandoned</dt><dd>{left}</dd></div>\
             <div><dt>offered</dt><dd>{}</dd></div></dl></div>",
            escaped(&queue.name),
            Unit::plain(queue.target),
            Unit::plain(queue.goal * 100.0),
            Unit::Count.write(queue.offered.mean.round()),
        );
    }
    page.push_str("</section>\n");
}

fn write_table(page: &mut String, table: &Table) {
    let _ = write!(
        page,
        "<div class=\"table\"><h2>{}</h2><div class=\"wide\"><table><thead><tr>",
        escaped(&table.title)
    );
    for column in &table.columns {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(column));
    }
    page.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        page.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let cell = cell_of(cell);
            let _ = if at == 0 {
                write!(page, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(page, "<td>{cell}</td>")
            };
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>");
    if !table.note.is_empty() {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(&table.note));
    }
    page.push_str("</div>\n");
}

/// A cell, with what is known of its number set back and a verdict set off.
fn cell_of(cell: &str) -> String {
    match cell {
        "ok" => "<b class=\"good\">ok</b>".to_owned(),
        "MISSED" => "<b class=\"bad\">missed</b>".to_owned(),
        _ => match cell.split_once(" ±") {
            Some((number, half)) => format!("{} <small>±{}</small>", escaped(number), escaped(half)),
            None => escaped(cell),
        },
    }
}
