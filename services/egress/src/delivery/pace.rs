//! How fast messages may leave: for the account, for one customer, and for some kinds of content.
//!
//! Buckets are shared by all replicas. What answers a customer goes ahead of what is sent to many: of a campaign, one
//! message at a time stands in line, and it leaves a part of each bucket to replies.

use std::time::Duration;

use heliograph_domain::content::{kind_name, media_word};
use heliograph_proto::v1::{Capabilities, MessageClass, RateRule, RateScope, content::Kind};
use heliograph_store::rate::{Permit, Rate};
use tokio::time::Instant;

use super::{case::Case, part::Part};
use crate::line::spec_of;

/// The part of a bucket that bulk messages leave to others.
const RESERVE: f64 = 0.2;

/// A rate that holds for a message, and what names its bucket beside channel and account.
#[derive(Debug, Clone, PartialEq)]
struct Limit {
    rate: Rate,
    bucket: Vec<String>,
}

impl Case<'_> {
    /// Waits until every rate that holds for the part lets it go; false when the account's gate has closed meanwhile.
    pub(super) async fn pace(&self, part: &Part<'_>) -> bool {
        // What only this customer's messages wait for holds up nobody else.
        for limit in recipient(part.capabilities, part.content.kind.as_ref(), &self.address.user_id) {
            self.take(&limit).await;
        }
        let limits = self.limits_of_account(part);
        if limits.is_empty() {
            return true;
        }
        let _one_of_many = if self.is_bulk() { Some(self.account.bulk.lock().await) } else { None };
        // Lanes wait in turn, so that a bucket is asked by one of them only.
        let _turn = self.account.pace.lock().await;
        // Whoever was before us may have been told to wait: then all who stand here go back to the gate, and take nothing
        // from the buckets on their way.
        if !self.account.is_open(Instant::now()) {
            return false;
        }
        for limit in limits {
            self.take(&limit).await;
        }
        true
    }

    /// As the account's resource says, else as the channel does; and the channel's finer rates.
    fn limits_of_account(&self, part: &Part<'_>) -> Vec<Limit> {
        let account = self.line.shared.account(&self.out.tenant, &self.address.account);
        let own = account.as_deref().and_then(spec_of).and_then(|spec| spec.rate_limit);
        let own = own.map(|own| Rate::new(own.per_second, f64::from(own.burst)));
        account_wide(own, part.capabilities, part.content.kind.as_ref())
    }

    fn is_bulk(&self) -> bool {
        self.message.message_class() == MessageClass::Marketing
    }

    async fn take(&self, limit: &Limit) {
        let mut parts = vec![self.line.name.as_str(), self.address.account.as_str()];
        parts.extend(limit.bucket.iter().map(String::as_str));
        let reserve = if self.is_bulk() { limit.rate.burst * RESERVE } else { 0.0 };
        let buckets = &self.line.shared.rate;
        while let Permit::RetryAfter(wait) =
            buckets.take_leaving(&self.out.tenant, &parts, limit.rate, 1.0, reserve).await
        {
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }
}

/// The limits of one customer's messages.
fn recipient(capabilities: &Capabilities, kind: Option<&Kind>, user_id: &str) -> Vec<Limit> {
    let rules = holding(capabilities, kind, RateScope::Recipient);
    let limit = |(name, rate)| Limit { rate, bucket: vec!["to".to_owned(), name, user_id.to_owned()] };
    rules.map(limit).collect()
}

/// The limits of everything an account sends.
fn account_wide(own: Option<Rate>, capabilities: &Capabilities, kind: Option<&Kind>) -> Vec<Limit> {
    let general = own.or_else(|| usual(capabilities)).map(|rate| Limit { rate, bucket: Vec::new() });
    let rules = holding(capabilities, kind, RateScope::Account);
    let finer = rules.map(|(name, rate)| Limit { rate, bucket: vec!["all".to_owned(), name] });
    general.into_iter().chain(finer).collect()
}

/// The rules of a scope that hold for a kind, with what tells their buckets apart.
fn holding<'a>(
    capabilities: &'a Capabilities,
    kind: Option<&'a Kind>,
    scope: RateScope,
) -> impl Iterator<Item = (String, Rate)> + 'a {
    let rules = capabilities.rates.iter().filter(move |rule| rule.scope() == scope && concerns(rule, kind));
    rules.map(|rule| (rule.content.join("+"), Rate::new(rule.per_second, f64::from(rule.burst.max(1)))))
}

fn concerns(rule: &RateRule, kind: Option<&Kind>) -> bool {
    rule.content.is_empty()
        || kind.is_some_and(|kind| {
            rule.content.iter().any(|name| match (kind, name.split_once('.')) {
                (Kind::Media(media), Some(("media", word))) => media_word(media) == word,
                (_, Some(_)) => false,
                (kind, None) => kind_name(kind) == name,
            })
        })
}

/// The channel's usual rate.
fn usual(capabilities: &Capabilities) -> Option<Rate> {
    let Capabilities { rate_per_second, burst, .. } = capabilities;
    (*rate_per_second > 0.0).then(|| Rate::new(*rate_per_second, f64::from((*burst).max(1))))
}

#[cfg(test)]
mod tests {
    use heliograph_domain::content;
    use heliograph_proto::v1::{Media, MediaKind};

    use super::*;

    fn rule(scope: RateScope, per_second: f64, content: &[&str]) -> RateRule {
        RateRule {
            scope: scope.into(),
            per_second,
            burst: 2,
            content: content.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn able() -> Capabilities {
        Capabilities {
            rate_per_second: 300.0,
            burst: 300,
            rates: vec![
                rule(RateScope::Account, 10.0, &["media.audio", "media.video"]),
                rule(RateScope::Recipient, 1.0, &[]),
                rule(RateScope::Recipient, 0.5, &["card"]),
            ],
            ..Capabilities::default()
        }
    }

    fn video() -> Kind {
        Kind::Media(Media { kind: MediaKind::Video.into(), ..Media::default() })
    }

    #[test]
    fn a_rule_holds_for_what_it_names() {
        let text = content::text("hi").kind;
        assert_eq!(account_wide(None, &able(), text.as_ref()).len(), 1);
        let limits = account_wide(None, &able(), Some(&video()));
        assert_eq!(limits[0], Limit { rate: Rate::new(300.0, 300.0), bucket: Vec::new() });
        let finer = ["all", "media.audio+media.video"].map(str::to_owned).to_vec();
        assert_eq!(limits[1], Limit { rate: Rate::new(10.0, 2.0), bucket: finer });
        let to_ann = recipient(&able(), text.as_ref(), "ann");
        assert_eq!(
            to_ann,
            [Limit { rate: Rate::new(1.0, 2.0), bucket: ["to", "", "ann"].map(str::to_owned).to_vec() }]
        );
    }

    #[test]
    fn the_accounts_own_rate_replaces_the_channels_usual_one() {
        let own = Rate::new(5.0, 1.0);
        let limits = account_wide(Some(own), &able(), None);
        assert_eq!(limits, [Limit { rate: own, bucket: Vec::new() }]);
        assert!(account_wide(None, &Capabilities::default(), None).is_empty());
    }
}
