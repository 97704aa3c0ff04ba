//! A contact's card where a provider takes no more than a text or a vCard.

use heliograph_proto::v1::ContactCard;

/// What stands on the card, a line each.
pub fn lines(card: &ContactCard) -> String {
    let points = card.phones.iter().chain(&card.emails).chain(&card.urls).map(|point| &point.value);
    let lines = [&card.formatted_name, &card.organization, &card.title].into_iter().chain(points);
    lines.filter(|line| !line.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// The card as it came, or as vCard 3.0 (RFC 2426).
pub fn vcard(card: &ContactCard) -> String {
    if !card.vcard.is_empty() {
        return card.vcard.clone();
    }
    let escape =
        |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n").replace(',', "\\,").replace(';', "\\;");
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned()];
    lines.push(format!("FN:{}", escape(&card.formatted_name)));
    lines.push(format!("N:{};{};;;", escape(&card.family_name), escape(&card.given_name)));
    let mut add = |name: &str, values: &mut dyn Iterator<Item = &String>| {
        lines.extend(
            values.filter(|value| !value.is_empty()).map(|value| format!("{name}:{}", escape(value))),
        );
    };
    add("ORG", &mut [&card.organization].into_iter());
    add("TITLE", &mut [&card.title].into_iter());
    add("TEL", &mut card.phones.iter().map(|point| &point.value));
    add("EMAIL", &mut card.emails.iter().map(|point| &point.value));
    add("URL", &mut card.urls.iter().map(|point| &point.value));
    lines.push("END:VCARD".to_owned());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use heliograph_proto::v1::ContactPoint;

    use super::*;

    #[test]
    fn a_card_is_a_vcard_and_lines() {
        let point = |value: &str| ContactPoint { value: value.to_owned(), ..ContactPoint::default() };
        let mut card = ContactCard {
            formatted_name: "Ann Lee".to_owned(),
            given_name: "Ann".to_owned(),
            family_name: "Lee".to_owned(),
            organization: "Acme, Inc.".to_owned(),
            phones: vec![point("+6493070700")],
            emails: vec![point("ann@example.com")],
            ..ContactCard::default()
        };
        assert_eq!(lines(&card), "Ann Lee\nAcme, Inc.\n+6493070700\nann@example.com");
        assert_eq!(
            vcard(&card),
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Lee\r\nN:Lee;Ann;;;\r\nORG:Acme\\, Inc.\r\nTEL:+6493070700\r\n\
             EMAIL:ann@example.com\r\nEND:VCARD"
        );
        card.vcard = "BEGIN:VCARD…".to_owned();
        assert_eq!(vcard(&card), "BEGIN:VCARD…");
    }
}
