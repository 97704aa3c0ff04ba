//! The customer's language, and the few words we say in it ourselves.

/// What is known of the language a customer reads, the best first. BCP 47 tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tongue<'a> {
    /// Of what they just wrote; empty when it does not tell.
    pub(super) said: &'a str,
    /// Of their address; empty when it does not tell.
    pub(super) address: &'a str,
    /// Of the contact.
    pub(super) contact: Option<&'a str>,
}

impl<'a> Tongue<'a> {
    /// The language, else `otherwise`.
    pub(super) fn or(&self, otherwise: &'a str) -> &'a str {
        let known = [self.said, self.address, self.contact.unwrap_or_default()];
        known.into_iter().find(|tag| !tag.is_empty()).unwrap_or(otherwise)
    }

    /// The customer's own tag of this language, or else the tenant's, which tells more than the language alone; else the
    /// language.
    pub(super) fn in_language(&self, language: &'a str, tenants: &'a str) -> &'a str {
        let known = [self.said, self.address, self.contact.unwrap_or_default(), tenants];
        known.into_iter().find(|tag| is_of(tag, language)).unwrap_or(language)
    }
}

/// Whether a tag is of a language, or of a part of it: `pt_BR` of `pt`.
fn is_of(tag: &str, language: &str) -> bool {
    let (mut tag, mut language) = (tag.split(['-', '_']), language.split(['-', '_']));
    language.all(|wanted| tag.next().is_some_and(|part| part.eq_ignore_ascii_case(wanted)))
}

/// "You are now continuing here.", by primary language.
const CONTINUING: [(&str, &str); 16] = [
    ("ar", "تتابع المحادثة هنا الآن."),
    ("de", "Sie führen das Gespräch jetzt hier weiter."),
    ("en", "You are now continuing here."),
    ("es", "Ahora continúa la conversación aquí."),
    ("fr", "Vous continuez maintenant la conversation ici."),
    ("hi", "अब आप यहाँ बातचीत जारी रख रहे हैं।"),
    ("id", "Sekarang Anda melanjutkan percakapan di sini."),
    ("it", "Ora la conversazione continua qui."),
    ("ja", "ここから会話を続けられます。"),
    ("ko", "이제 여기에서 대화를 이어갑니다."),
    ("nl", "U gaat nu hier verder met het gesprek."),
    ("pl", "Teraz kontynuujesz rozmowę tutaj."),
    ("pt", "Agora a conversa continua por aqui."),
    ("ru", "Теперь вы продолжаете разговор здесь."),
    ("tr", "Görüşmeye artık buradan devam ediyorsunuz."),
    ("zh", "您现在可以在这里继续对话。"),
];

/// What a customer is told who continues on another channel, in the language of `tag`, else in English.
pub(super) fn continuing(tag: &str) -> &'static str {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let of = |language: &str| CONTINUING.iter().find(|(known, _)| *known == language).map(|(_, text)| *text);
    of(&primary).or_else(|| of("en")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{CONTINUING, Tongue, continuing};

    #[test]
    fn the_language_of_what_was_said_comes_first() {
        let tongue = |said, address, contact| Tongue { said, address, contact }.or("en");
        assert_eq!(tongue("pt-BR", "de", Some("fr")), "pt-BR");
        assert_eq!(tongue("", "de", Some("fr")), "de");
        assert_eq!(tongue("", "", Some("fr")), "fr");
        assert_eq!(tongue("", "", None), "en");
    }

    #[test]
    fn what_is_known_of_a_language_is_the_customers_own_tag() {
        let tongue = |address, contact| Tongue { said: "", address, contact }.in_language("pt", "en-GB");
        assert_eq!(tongue("pt-PT", Some("pt-BR")), "pt-PT");
        assert_eq!(tongue("en", Some("PT_br")), "PT_br");
        assert_eq!(tongue("en", Some("ptx")), "pt");
        assert_eq!(tongue("", None), "pt");
        let chinese = Tongue { said: "", address: "zh-TW", contact: Some("zh-Hant-HK") };
        assert_eq!(
            (chinese.in_language("zh-Hant", "en"), chinese.in_language("zh", "en")),
            ("zh-Hant-HK", "zh-TW")
        );
        assert_eq!(chinese.in_language("pt", "pt-BR"), "pt-BR");
    }

    #[test]
    fn every_language_has_its_words_and_others_get_english() {
        for (tag, text) in CONTINUING {
            assert_eq!((continuing(tag), continuing(&format!("{tag}-XX"))), (text, text));
        }
        assert_eq!(continuing("PT_br"), continuing("pt"));
        for other in ["", "tlh", "-"] {
            assert_eq!(continuing(other), continuing("en"));
        }
    }
}
