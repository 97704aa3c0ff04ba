//! Links to media that expire, and upload ids that only their visitor can use. Both are keyed hashes: nothing to look
//! up, and any replica can check them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long a link lasts at least, in seconds.
const LASTS: i64 = 24 * 60 * 60;
/// Links made within an hour are the same, so that browsers can keep what they loaded.
const STEP: i64 = 60 * 60;
/// Hex digits of an upload's signature: 128 bits.
const UPLOAD_DIGITS: usize = 32;

/// Signs and checks, with a key that all replicas share.
#[derive(Clone)]
pub(crate) struct Links(Hmac<Sha256>);

impl std::fmt::Debug for Links {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Links")
    }
}

impl Links {
    /// With this key.
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    fn mac(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    /// Where the medium `id` can be fetched, relative to `/webchat/<account>/`.
    pub(crate) fn media(&self, tenant: &str, account: &str, id: &str, now_ms: i64) -> String {
        let expires = ((now_ms / 1000 + LASTS) / STEP + 1) * STEP;
        let mac = self.mac(&["media", tenant, account, id, &expires.to_string()]);
        format!("media/{id}?exp={expires}&sig={}", hex::encode(mac.finalize().into_bytes()))
    }

    /// Whether a link to `id` is one of ours and still good.
    pub(crate) fn is_media(
        &self,
        tenant: &str,
        account: &str,
        id: &str,
        exp: &str,
        sig: &str,
        now_ms: i64,
    ) -> bool {
        let Ok(sig) = hex::decode(sig) else { return false };
        let fresh = exp.parse::<i64>().is_ok_and(|expires| now_ms / 1000 < expires);
        fresh && self.mac(&["media", tenant, account, id, exp]).verify_slice(&sig).is_ok()
    }

    /// The medium `id` as an upload of this visitor.
    pub(crate) fn upload(&self, tenant: &str, account: &str, visitor: &str, id: &str) -> String {
        let mac = self.mac(&["upload", tenant, account, visitor, id]).finalize().into_bytes();
        format!("{id}.{}", &hex::encode(mac)[..UPLOAD_DIGITS])
    }

    /// The medium behind an upload id, if it is this visitor's.
    pub(crate) fn uploaded<'a>(
        &self,
        tenant: &str,
        account: &str,
        visitor: &str,
        upload: &'a str,
    ) -> Option<&'a str> {
        use subtle::ConstantTimeEq as _;
        let (id, _) = upload.split_once('.')?;
        let expected = self.upload(tenant, account, visitor, id);
        bool::from(expected.as_bytes().ct_eq(upload.as_bytes())).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Links;

    #[test]
    fn a_link_is_good_for_its_medium_its_account_and_its_time() {
        let links = Links::new(b"key");
        let now = 1_763_836_425_000;
        let link = links.media("acme", "shop", "med_1", now);
        let (exp, sig) = link.strip_prefix("media/med_1?exp=").unwrap().split_once("&sig=").unwrap();
        assert!(links.is_media("acme", "shop", "med_1", exp, sig, now));
        assert_eq!(links.media("acme", "shop", "med_1", now + 1000), link, "stable for a while");
        let later = exp.parse::<i64>().unwrap() * 1000;
        for (account, id, exp, sig, now) in [
            ("other", "med_1", exp, sig, now),
            ("shop", "med_2", exp, sig, now),
            ("shop", "med_1", "99999999999", sig, now),
            ("shop", "med_1", exp, "00", now),
            ("shop", "med_1", exp, "", now),
            ("shop", "med_1", exp, sig, later),
        ] {
            assert!(!links.is_media("acme", account, id, exp, sig, now), "{account} {id} {exp} {sig}");
        }
        assert!(!Links::new(b"other").is_media("acme", "shop", "med_1", exp, sig, now));
    }

    #[test]
    fn an_upload_is_its_visitors() {
        let links = Links::new(b"key");
        let upload = links.upload("acme", "shop", "v_1", "med_1");
        assert_eq!(links.uploaded("acme", "shop", "v_1", &upload), Some("med_1"));
        assert_eq!(links.uploaded("acme", "shop", "v_2", &upload), None);
        assert_eq!(links.uploaded("acme", "shop", "v_1", "med_1"), None);
        assert_eq!(links.uploaded("acme", "shop", "v_1", "med_1."), None);
    }
}
