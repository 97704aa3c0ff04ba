//! The page at `/`: where to go from here.

use std::fmt::Write as _;

use axum::{
    Router,
    response::{Html, IntoResponse as _},
    routing::get,
};
use http::{HeaderValue, header};

use super::Report;

const PAGE: &str = include_str!("landing.html");

/// Serves the page.
pub(super) fn router(report: &Report) -> Router {
    let mut links = String::new();
    for (url, title, about) in report.links() {
        let (url, title, about) = (escaped(&url), escaped(&title), escaped(&about));
        // Writing to a string does not fail.
        let _ = writeln!(links, "<li><a href=\"{url}\">{title}</a><p>{about}</p></li>");
    }
    let page = PAGE.replace("{{links}}", &links).replace("{{version}}", env!("CARGO_PKG_VERSION"));
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    Router::new().route(
        "/",
        get(async move || {
            let mut response = Html(page.clone()).into_response();
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
            response
        }),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
