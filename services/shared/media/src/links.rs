//! Links to media that expire, and claims that only their owner can use. Both are keyed hashes: nothing to look up, and
//! any replica can check them.

use async_nats::jetstream::Context;
use heliograph_store::{KvError, signing::signing_key};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::MediaSettings;

/// What the key in the broker is for.
const PURPOSE: &str = "links";
/// No link lasts longer, in seconds: a hundred years.
const LONGEST: i64 = 100 * 365 * 24 * 60 * 60;
/// Links made within this many seconds are the same, so that browsers can keep what they loaded.
const STEP: i64 = 60 * 60;
/// Hex digits of a claim's signature: 128 bits.
const CLAIM_DIGITS: usize = 32;

/// Signs and checks, with a key that all replicas share. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    key: Hmac<Sha256>,
    lasts: i64,
    public: Option<String>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Links")
    }
}

/// What a link's query says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// When it expires, seconds since 1970, as written.
    pub expires: String,
    /// The signature, hex.
    pub signature: String,
}

impl Query {
    /// Reads `exp` and `sig` of a query string.
    pub fn read(query: &str) -> Self {
        let asked = |wanted: &str| {
            let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        Self { expires: asked("exp"), signature: asked("sig") }
    }
}

impl Links {
    /// With this key, and what the section `media` says of links.
    pub fn new(key: &[u8], settings: &MediaSettings) -> Self {
        let lasts = i64::try_from(settings.link_lasts.as_secs()).unwrap_or(LONGEST).min(LONGEST);
        Self {
            key: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"),
            lasts,
            public: settings.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        }
    }

    /// With the key that the broker keeps.
    ///
    /// # Errors
    /// See [`KvError`].
    pub async fn open(context: &Context, settings: &MediaSettings) -> Result<Self, KvError> {
        Ok(Self::new(&signing_key(context, PURPOSE).await?, settings))
    }

    fn mac(&self, kind: &str, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        for part in std::iter::once(&kind).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    /// What stands behind the path of the medium `id`: `exp=…&sig=…`.
    pub fn query(&self, tenant: &str, id: &str, now_ms: i64) -> String {
        let expires = ((now_ms / 1000 + self.lasts) / STEP + 1) * STEP;
        let mac = self.mac("media", &[tenant, id, &expires.to_string()]);
        format!("exp={expires}&sig={}", hex::encode(mac.finalize().into_bytes()))
    }

    /// The path of the medium `id` where [`crate::Face::router`] is served, with its query.
    pub fn path(&self, tenant: &str, id: &str, now_ms: i64) -> String {
        format!("/media/{tenant}/{id}?{}", self.query(tenant, id, now_ms))
    }

    /// A link to the medium `id` for somebody outside; none where `media.public_url` is not set. It may be given out before
    /// the medium is there.
    pub fn outside(&self, tenant: &str, id: &str, now_ms: i64) -> Option<String> {
        Some(format!("{}{}", self.public.as_ref()?, self.path(tenant, id, now_ms)))
    }

    /// Whether there are links for somebody outside.
    pub fn lead_outside(&self) -> bool {
        self.public.is_some()
    }

    /// Whether a link to `id` is one of ours and still good.
    pub fn is_good(&self, tenant: &str, id: &str, query: &Query, now_ms: i64) -> bool {
        let Ok(signature) = hex::decode(&query.signature) else { return false };
        let fresh = query.expires.parse::<i64>().is_ok_and(|expires| now_ms / 1000 < expires);
        fresh && self.mac("media", &[tenant, id, &query.expires]).verify_slice(&signature).is_ok()
    }

    /// The medium `id` as `owner`'s: what they show to use it.
    pub fn claim(&self, owner: &[&str], id: &str) -> String {
        let mut parts = owner.to_vec();
        parts.push(id);
        let mac = self.mac("claim", &parts).finalize().into_bytes();
        format!("{id}.{}", &hex::encode(mac)[..CLAIM_DIGITS])
    }

    /// The medium behind a claim, if it is `owner`'s.
    pub fn claimed<'a>(&self, owner: &[&str], claim: &'a str) -> Option<&'a str> {
        use subtle::ConstantTimeEq as _;
        let (id, _) = claim.split_once('.')?;
        let expected = self.claim(owner, id);
        bool::from(expected.as_bytes().ct_eq(claim.as_bytes())).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Links, Query};
    use crate::MediaSettings;

    fn keyed(key: &str) -> Links {
        Links::new(key.as_bytes(), &MediaSettings::default())
    }

    #[test]
    fn a_link_is_good_for_its_medium_its_tenant_and_its_time() {
        let links = keyed("key");
        let now = 1_763_836_425_000;
        let path = links.path("acme", "med_1", now);
        let query = Query::read(path.strip_prefix("/media/acme/med_1?").unwrap());
        assert!(links.is_good("acme", "med_1", &query, now));
        assert_eq!(links.path("acme", "med_1", now + 1000), path, "stable for a while");
        let expires = query.expires.parse::<i64>().unwrap() * 1000;
        assert!(expires - now >= 24 * 60 * 60 * 1000);
        let altered = |expires: &str, signature: &str| Query {
            expires: expires.to_owned(),
            signature: signature.to_owned(),
        };
        for (tenant, id, query, now) in [
            ("globex", "med_1", query.clone(), now),
            ("acme", "med_2", query.clone(), now),
            ("acme", "med_1", altered("99999999999", &query.signature), now),
            ("acme", "med_1", altered(&query.expires, "00"), now),
            ("acme", "med_1", altered(&query.expires, ""), now),
            ("acme", "med_1", query.clone(), expires),
        ] {
            assert!(!links.is_good(tenant, id, &query, now), "{tenant} {id} {query:?}");
        }
        assert!(!keyed("other").is_good("acme", "med_1", &query, now));
    }

    #[test]
    fn links_for_outside_need_to_know_where_they_lead() {
        assert_eq!(keyed("key").outside("acme", "med_1", 0), None);
        let public_url = Some("https://media.example.com/heliograph/".to_owned());
        let links = Links::new(b"key", &MediaSettings { public_url, ..MediaSettings::default() });
        let link = links.outside("acme", "med_1", 0).unwrap();
        assert!(link.starts_with("https://media.example.com/heliograph/media/acme/med_1?exp="), "{link}");
    }

    #[test]
    fn a_claim_is_its_owners() {
        let links = keyed("key");
        let claim = links.claim(&["acme", "shop", "v_1"], "med_1");
        assert_eq!(links.claimed(&["acme", "shop", "v_1"], &claim), Some("med_1"));
        assert_eq!(links.claimed(&["acme", "shop", "v_2"], &claim), None);
        // What belongs to whom cannot be cut elsewhere.
        assert_eq!(links.claimed(&["acme", "shopv_1"], &claim), None);
        assert_eq!(links.claimed(&["acme", "shop", "v_1"], "med_1"), None);
        assert_eq!(links.claimed(&["acme", "shop", "v_1"], "med_1."), None);
    }
}
