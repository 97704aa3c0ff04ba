//! Words that are for the system and not for an agent: STOP, START, HELP, in the customer's language.

use heliograph_policy::{Keyword, KeywordKind};
use heliograph_proto::v1::{Message, Notice};
use heliograph_store::contacts::Contact;

use super::{Case, consent, tongue::Tongue};
use crate::{book::Tenant, error::Failure};

/// Key of a message's metadata that a channel sets when the provider has answered the word itself, as Twilio does:
/// then we do not.
const ANSWERED: &str = "answered_by_provider";

/// What is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) notice: Notice,
}

/// Does what the word asks for. Returns the answer, where there is one: consent given or taken is confirmed once for
/// each change, help is given each time, in the language of the word.
pub(super) async fn obey(
    case: Case<'_>,
    tenant: &Tenant,
    contact: &Contact,
    message: &Message,
    word: &Keyword,
    tongue: &Tongue<'_>,
) -> Result<Option<Reply>, Failure> {
    let source = format!("keyword {}", word.word);
    let notice = match word.kind {
        KeywordKind::Stop => {
            consent::state(case, contact, false, "", &source).await?.then_some(Notice::OptOut)
        }
        KeywordKind::Start => {
            consent::state(case, contact, true, "", &source).await?.then_some(Notice::OptIn)
        }
        KeywordKind::Help => Some(Notice::Help),
    };
    let notice = notice.filter(|_| !message.metadata.contains_key(ANSWERED));
    let locale = tongue.in_language(word.language, &tenant.locale);
    let text = || tenant.policy().reply(word.kind, locale, &tenant.display_name);
    Ok(notice.map(|notice| Reply { text: text(), notice }))
}
