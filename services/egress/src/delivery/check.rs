//! Whether a message may leave now: the customer's consent, and the messaging window.

use heliograph_domain::resources::MessageClass;
use heliograph_policy::{Consent, Reason};
use heliograph_proto::v1::{Verdict, verdict::Outcome};
use heliograph_store::{
    now_ms,
    windows::{WindowKey, WindowVerdict},
};

use super::{Case, part::Part};
use crate::{
    error::{Failure, consent_of},
    line::spec_of,
    verdict::{class, refusal},
    window,
};

impl Case<'_> {
    /// The verdict that forbids a part to leave, if one does. Takes its place in a window that counts.
    pub(super) async fn forbidden(&self, part: &Part<'_>) -> Result<Option<Verdict>, Failure> {
        if let Some(verdict) = self.consent().await? {
            return Ok(Some(verdict));
        }
        self.window(part).await
    }

    /// As policy has it: an opt-out holds for everything but emergencies, and marketing wants an opt-in.
    async fn consent(&self) -> Result<Option<Verdict>, Failure> {
        let class = class(self.message.message_class());
        let said = if self.out.contact.is_empty() {
            None
        } else {
            let consent = &self.line.shared.consent;
            consent.effective(&self.out.tenant, &self.out.contact, &self.line.name, class.as_str()).await?
        };
        let source = said.as_ref().map_or("", |statement| &statement.source);
        Ok(match (consent_of(said.as_ref()), class) {
            (Consent::OptedOut, MessageClass::Emergency) => None,
            (Consent::OptedOut, _) => Some(refusal(self.out, Outcome::Deny, &Reason::OptedOut, source)),
            (Consent::Unknown, MessageClass::Marketing) => {
                Some(refusal(self.out, Outcome::NeedsConsent, &Reason::ConsentMissing, ""))
            }
            _ => None,
        })
    }

    async fn window(&self, part: &Part<'_>) -> Result<Option<Verdict>, Failure> {
        let shared = &self.line.shared;
        let account = shared.account(&self.out.tenant, &self.address.account);
        let rules = window::rules(part.capabilities, account.as_deref().and_then(spec_of));
        if rules.is_empty() || !window::needed(part.content.kind.as_ref(), part.capabilities) {
            return Ok(None);
        }
        let key = self.window_key();
        let verdict =
            window::take(&shared.windows, &shared.fabric, self.out, &key, &rules, &part.id, now_ms()).await?;
        Ok(match verdict {
            WindowVerdict::Granted { .. } => None,
            WindowVerdict::Closed { .. } => Some(self.needs_template(part, "")),
            WindowVerdict::Exhausted { .. } => {
                Some(self.needs_template(part, "no more messages may be sent in it"))
            }
            WindowVerdict::Never => Some(self.needs_template(part, "the customer has not opened one")),
        })
    }

    /// Only a template may go out.
    pub(super) fn needs_template(&self, part: &Part<'_>, more: &str) -> Verdict {
        let templates = window::takes_templates(part.capabilities);
        refusal(self.out, Outcome::NeedsTemplate, &Reason::WindowClosed { templates }, more)
    }

    pub(super) fn window_key(&self) -> WindowKey {
        WindowKey::new(&self.out.tenant, &self.line.name, &self.address.account, &self.address.user_id)
    }
}
