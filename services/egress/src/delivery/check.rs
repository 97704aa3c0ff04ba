//! Whether a message may leave now: what policy says, and the messaging window.

use std::sync::Arc;

use heliograph_domain::content::kind_name;
use heliograph_policy::{Outcome, Reason, TenantPolicy, Verdict, Window};
use heliograph_proto::{
    Timestamp,
    v1::{self, Capabilities, WindowRule},
};
use heliograph_store::{
    now_ms,
    windows::{WindowKey, WindowVerdict},
};
use tokio::time::Instant;

use super::{
    case::{Case, Memory},
    part::Part,
};
use crate::{
    error::Failure,
    judge::{Asked, Judged, as_fact},
    verdict::on_wire,
    window,
};

/// Policy is asked again when its word is older. Never used for two messages.
const RECHECK_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// What policy said of the message, and when.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) asked: Asked,
    pub(super) judged: Judged,
    at: Instant,
}

impl Decided {
    /// Which policy let the message go, for the event that says that it went.
    pub(super) fn allowed(&self) -> v1::Reason {
        let verdict = &self.judged.verdict;
        let text = format!(
            "policy {} version {} allows it in region {}",
            verdict.policy, verdict.policy_version, verdict.region.region
        );
        v1::Reason { code: "policy.allowed".to_owned(), text, detail: None }
    }
}

/// Why a message may not leave, or not as it is, or not now.
#[derive(Debug)]
pub(super) struct Barred {
    pub(super) verdict: Verdict,
    /// What the verdict's first reason leaves out.
    pub(super) more: String,
    /// A closed window is why.
    pub(super) closed: bool,
    /// A part of the message has left: what is left of it goes nowhere else.
    pub(super) begun: bool,
}

impl Barred {
    /// The verdict as events carry it.
    pub(super) fn wire(&self) -> v1::Verdict {
        on_wire(&self.verdict, &self.more)
    }
}

/// Whether a closed window, and nothing that asks for more, is why.
fn by_window(verdict: &Verdict) -> bool {
    matches!(verdict.reason(), Reason::WindowClosed { .. } | Reason::WindowElapsed { .. })
}

impl Case<'_> {
    /// What policy says, asked now unless it just was.
    pub(super) async fn decided<'m>(&self, memory: &'m mut Memory) -> Result<&'m Decided, Failure> {
        let shared = &self.line.shared;
        let book = shared.book.tenant(&self.out.tenant);
        let fresh = memory.decided.as_ref().is_some_and(|decided| {
            decided.at.elapsed() < RECHECK_AFTER && Arc::ptr_eq(&decided.asked.book.policy, &book.policy)
        });
        if !fresh {
            let at = Instant::now();
            let asked = self.asked(book, memory.counted).await?;
            let window = self.window_now(&asked.book).await?;
            let judged = shared.judge(&asked, self.address, window, now_ms()).await?;
            memory.decided = Some(Decided { asked, judged, at });
        }
        Ok(memory.decided.as_ref().expect("just made"))
    }

    /// Whether a rule of the policy in force reads the window, so that the channel has to say whether it has any.
    pub(super) fn reads_window(&self) -> bool {
        self.line.shared.book.tenant(&self.out.tenant).policy.reads_window()
    }

    /// The customer's window for the rules that read it. Where none does, it is looked at when the message leaves only.
    async fn window_now(&self, in_force: &TenantPolicy) -> Result<Window, Failure> {
        if !in_force.policy.reads_window() {
            return Ok(Window::Unlimited);
        }
        let (shared, now) = (&self.line.shared, now_ms());
        let (tenant, account) = (&self.out.tenant, &self.address.account);
        let Ok(capabilities) = self.line.capabilities(&self.account, tenant, account).await else {
            return Ok(shared.window(tenant, self.address, now).await);
        };
        let rules = self.window_rules(in_force, &capabilities);
        if rules.is_empty() {
            return Ok(Window::Unlimited);
        }
        let key = self.window_key();
        let windows = window::look(&shared.windows, &shared.fabric, self.out, &key, &rules, now).await?;
        Ok(as_fact(&windows, now, window::takes_templates(&capabilities)))
    }

    /// The channel's windows as they hold for the account.
    fn window_rules(&self, in_force: &TenantPolicy, capabilities: &Capabilities) -> Vec<WindowRule> {
        let rules = capabilities.windows.iter();
        rules.map(|rule| in_force.window_rule(&self.address.account, rule)).collect()
    }

    /// The message as policy is asked about it.
    async fn asked(&self, book: Arc<TenantPolicy>, counted: bool) -> Result<Asked, Failure> {
        let contact = match self.out.contact.as_str() {
            "" => None,
            contact => self.line.shared.contacts.get(&self.out.tenant, contact).await?,
        };
        // It may have been joined into another one since.
        let contact_id = contact.as_ref().map_or(&self.out.contact, |contact| &contact.id).clone();
        Ok(Asked {
            tenant: self.out.tenant.clone(),
            contact_id,
            book,
            contact,
            class: self.message.message_class().into(),
            kind: self
                .message
                .content
                .as_ref()
                .and_then(|content| content.kind.as_ref())
                .map_or("", kind_name),
            notice: self.out.notice(),
            last_inbound_ms: self.out.last_inbound_at.as_ref().map(Timestamp::millis),
            counted,
        })
    }

    /// Why policy does not let it leave, if it does not. What the window itself says is not heard yet.
    pub(super) async fn barred(&self, memory: &mut Memory) -> Result<Option<Barred>, Failure> {
        let Decided { asked, judged, .. } = self.decided(memory).await?;
        let verdict = &judged.verdict;
        let template = verdict.outcome == Outcome::NeedsTemplate && asked.kind == "template";
        if verdict.is_allowed() || template || by_window(verdict) {
            return Ok(None);
        }
        let more = match verdict.reason() {
            Reason::OptedOut => judged.known.source.clone(),
            _ => String::new(),
        };
        Ok(Some(Barred { verdict: verdict.clone(), more, closed: false, begun: false }))
    }

    /// Why a part may not leave, if it may not. Takes its place in a window that counts.
    pub(super) async fn forbidden(
        &self,
        part: &Part<'_>,
        memory: &mut Memory,
    ) -> Result<Option<Barred>, Failure> {
        match self.stopped(part, memory).await? {
            None => self.window(part, memory).await,
            stopped => Ok(stopped),
        }
    }

    /// Why policy stops a part, whatever the window says. A message that has begun comes to its end, unless the customer or
    /// the tenant forbids it; and a template that stands in is what was asked for.
    async fn stopped(&self, part: &Part<'_>, memory: &mut Memory) -> Result<Option<Barred>, Failure> {
        let begun = part.index > 0;
        let Some(barred) = self.barred(memory).await? else { return Ok(None) };
        let passes = match barred.verdict.outcome {
            Outcome::Defer(_) => begun,
            Outcome::NeedsTemplate => part.is_template(),
            _ => false,
        };
        Ok((!passes).then_some(Barred { begun, ..barred }))
    }

    async fn window(&self, part: &Part<'_>, memory: &mut Memory) -> Result<Option<Barred>, Failure> {
        let shared = &self.line.shared;
        let in_force = shared.book.tenant(&self.out.tenant);
        let rules = self.window_rules(&in_force, part.capabilities);
        if rules.is_empty() || !window::needed(part.content.kind.as_ref(), part.capabilities) {
            return Ok(None);
        }
        let key = self.window_key();
        let verdict =
            window::take(&shared.windows, &shared.fabric, self.out, &key, &rules, &part.id, now_ms()).await?;
        Ok(match verdict {
            WindowVerdict::Granted { .. } => {
                if !memory.decided.as_ref().is_some_and(|decided| by_window(&decided.judged.verdict)) {
                    return Ok(None);
                }
                // The customer has written since policy was asked: what the closed window hid has a say now.
                memory.decided = None;
                self.stopped(part, memory).await?
            }
            WindowVerdict::Closed { .. } => Some(self.closed(part, "", memory).await?),
            WindowVerdict::Exhausted { .. } => {
                Some(self.closed(part, "no more messages may be sent in it", memory).await?)
            }
            WindowVerdict::Never => Some(self.closed(part, "the customer has not opened one", memory).await?),
        })
    }

    /// What policy says of a closed window.
    pub(super) async fn closed(
        &self,
        part: &Part<'_>,
        more: &str,
        memory: &mut Memory,
    ) -> Result<Barred, Failure> {
        let Decided { asked, judged, .. } = self.decided(memory).await?;
        let weigh = |templates| {
            let window = Window::Closed { templates };
            self.line.shared.weigh(asked, Some(self.address), &judged.known, window, now_ms())
        };
        let mut verdict = weigh(window::takes_templates(part.capabilities));
        if verdict.is_allowed() {
            // The provider did not take the template, either.
            verdict = weigh(false);
        }
        Ok(Barred { verdict, more: more.to_owned(), closed: true, begun: part.index > 0 })
    }

    pub(super) fn window_key(&self) -> WindowKey {
        WindowKey::new(&self.out.tenant, &self.line.name, &self.address.account, &self.address.user_id)
    }
}
