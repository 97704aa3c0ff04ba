//! Which pages may embed the widget. A guard for browsers, not authentication.

use url::{Host, Url};

/// The allow-list of an account.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    exact: Vec<String>,
    /// Scheme, suffix with its leading dot, port as written.
    below: Vec<(String, String, Option<u16>)>,
    missing: bool,
}

impl Origins {
    /// Reads the entries; `own` is allowed beside them.
    ///
    /// # Errors
    /// The index of the entry that is wrong, and why.
    pub fn parse(
        entries: &[String],
        own: Option<&Url>,
        allow_missing: bool,
    ) -> Result<Self, (usize, String)> {
        let mut origins = Self { missing: allow_missing, ..Self::default() };
        origins.exact.extend(own.map(|url| url.origin().ascii_serialization()));
        for (at, entry) in entries.iter().enumerate() {
            if entry == "null" {
                origins.exact.push(entry.clone());
                continue;
            }
            let wrong = || {
                let hint = "is no origin; write scheme, host and port only: https://shop.example";
                (at, format!("`{entry}` {hint} or https://*.shop.example"))
            };
            let plain = entry.replacen("://*.", "://", 1);
            let url = Url::parse(&plain).map_err(|_| wrong())?;
            let bare = url.path() == "/" && !plain.ends_with('/') && url.query().is_none();
            if !bare || !matches!(url.scheme(), "http" | "https") || plain.contains(['*', '@', '#']) {
                return Err(wrong());
            }
            if plain == *entry {
                origins.exact.push(url.origin().ascii_serialization());
            } else if let Some(Host::Domain(host)) = url.host() {
                origins.below.push((url.scheme().to_owned(), format!(".{host}"), url.port()));
            } else {
                return Err(wrong());
            }
        }
        Ok(origins)
    }

    /// Whether a page of `origin` may speak with this account. `host` is the request's own `Host`: a page that this
    /// very server served to this very machine (`heliograph dev` on any port) may, too.
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return self.missing };
        if self.exact.iter().any(|entry| entry == origin) {
            return true;
        }
        let Ok(url) = Url::parse(origin) else { return false };
        // A browser writes an origin in exactly one way.
        if url.origin().ascii_serialization() != origin {
            return false;
        }
        let name = url.host_str().unwrap_or_default();
        let below = self.below.iter().any(|(scheme, suffix, port)| {
            url.scheme() == scheme && url.port() == *port && name.ends_with(suffix.as_str())
        });
        below || (is_loopback(&url) && host.is_some_and(|host| origin == format!("http://{host}")))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn origins(entries: &[&str]) -> Origins {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        let own = Url::parse("https://chat.example.test/base").unwrap();
        Origins::parse(&entries, Some(&own), false).unwrap()
    }

    #[test]
    fn scheme_host_and_port_have_to_match() {
        let list = origins(&["https://shop.test", "http://127.0.0.1:8080", "https://*.brand.test"]);
        for good in [
            "https://shop.test",
            "http://127.0.0.1:8080",
            "https://a.brand.test",
            "https://a.b.brand.test",
            "https://chat.example.test",
        ] {
            assert!(list.allows(Some(good), None), "{good}");
        }
        for bad in [
            "http://shop.test",
            "https://shop.test:8443",
            "https://shop.test.evil.test",
            "https://evilshop.test",
            "https://brand.test",
            "https://evilbrand.test",
            "https://a.brand.test:444",
            "http://a.brand.test",
            "https://user@shop.test",
            "https://SHOP.test",
            "null",
            "",
        ] {
            assert!(!list.allows(Some(bad), None), "{bad}");
        }
        assert!(!list.allows(None, None));
    }

    #[test]
    fn the_servers_own_pages_are_its_own_on_this_machine_only() {
        let list = origins(&[]);
        assert!(list.allows(Some("http://127.0.0.1:4321"), Some("127.0.0.1:4321")));
        assert!(!list.allows(Some("http://127.0.0.1:4321"), Some("127.0.0.1:9999")));
        // A name that was pointed at us is not this machine.
        assert!(!list.allows(Some("http://evil.test:4321"), Some("evil.test:4321")));
    }

    #[test]
    fn null_and_missing_are_allowed_only_by_name() {
        assert!(origins(&["null"]).allows(Some("null"), None));
        assert!(Origins::parse(&[], None, true).unwrap().allows(None, None));
    }

    #[test]
    fn entries_that_are_no_origins_are_named() {
        for bad in
            ["shop.test", "https://shop.test/", "https://shop.test/a", "ftp://shop.test", "*", "https://*"]
        {
            let (at, problem) = Origins::parse(&[bad.to_owned()], None, false).unwrap_err();
            assert_eq!(at, 0);
            assert!(problem.contains(bad), "{problem}");
        }
    }
}
