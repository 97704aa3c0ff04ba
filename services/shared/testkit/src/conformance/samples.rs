//! One message of every kind, as an agent might send it.

use heliograph_channel::inbound::timestamp;
use heliograph_domain::content;
use heliograph_proto::{
    Struct, Value,
    v1::{
        Address, CallSignal, CallState, Card, Carousel, Choice, ContactCard, ContactPoint, Content, Custom,
        Deletion, Direction, Edit, ListMenu, ListSection, Location, Media, MediaKind, Message, MessageClass,
        MessageReference, Option as Answer, Reaction, Selection, Sender, SenderKind, Template,
        TemplateComponent, TemplateParameter, content::Kind, template_parameter,
    },
};

use super::fixture::NOW_MS;

/// A message with the sample content of the kind called `name`; `None` for a name that is no kind. It refers to a message
/// that the provider calls `theirs`.
pub(super) fn message(name: &str, channel: &str, account: &str, theirs: &str) -> Option<Message> {
    let kind = kind(name, theirs)?;
    Some(Message {
        id: "msg_0123456789abcdefghjkmnpqrs".to_owned(),
        direction: Direction::Outbound.into(),
        content: Some(Content { kind: Some(kind) }),
        reply_to: Some(MessageReference {
            message_id: "msg_srqpnmkjhgfedcba9876543210".to_owned(),
            provider_message_id: theirs.to_owned(),
        }),
        sender: Some(Sender {
            kind: SenderKind::Agent.into(),
            id: "ana".to_owned(),
            display_name: "Ana".to_owned(),
        }),
        address: Some(Address {
            channel: channel.to_owned(),
            account: account.to_owned(),
            user_id: "+15005550006".to_owned(),
            phone: "+15005550006".to_owned(),
            ..Address::default()
        }),
        message_class: MessageClass::Service.into(),
        time: Some(timestamp(NOW_MS)),
        ..Message::default()
    })
}

fn kind(name: &str, theirs: &str) -> Option<Kind> {
    let target = || Some(MessageReference { provider_message_id: theirs.to_owned(), ..Default::default() });
    Some(match name {
        "text" => content::text("Grüße, “here” <b>&</b> 你好 👋\nsecond line").kind?,
        "media" => Kind::Media(image()),
        "location" => Kind::Location(Location {
            latitude: -25.066_67,
            longitude: -130.1,
            name: "Adamstown".to_owned(),
            address: "Pitcairn".to_owned(),
            ..Location::default()
        }),
        "contact_card" => Kind::ContactCard(ContactCard {
            formatted_name: "Ann Christian".to_owned(),
            phones: vec![ContactPoint { value: "+6493070700".to_owned(), label: "work".to_owned() }],
            ..ContactCard::default()
        }),
        "choice" => Kind::Choice(Choice {
            body: "Tea or coffee?".to_owned(),
            options: options(),
            ..Choice::default()
        }),
        "list" => Kind::List(ListMenu {
            body: "What would you like?".to_owned(),
            button: "Menu".to_owned(),
            sections: vec![ListSection { title: "Drinks".to_owned(), options: options() }],
            ..ListMenu::default()
        }),
        "card" => Kind::Card(card("Tea")),
        "carousel" => {
            Kind::Carousel(Carousel { cards: vec![card("Tea"), card("Coffee")], ..Carousel::default() })
        }
        "template" => Kind::Template(Template {
            name: "order_update".to_owned(),
            language: "en".to_owned(),
            components: vec![TemplateComponent {
                part: "body".to_owned(),
                parameters: vec![TemplateParameter {
                    name: "order".to_owned(),
                    value: Some(template_parameter::Value::Text("42".to_owned())),
                }],
                ..TemplateComponent::default()
            }],
            rendered: "Your order 42 is on its way.".to_owned(),
            ..Template::default()
        }),
        "reaction" => Kind::Reaction(Reaction { target: target(), emoji: "👍".to_owned() }),
        "edit" => Kind::Edit(Box::new(Edit {
            target: target(),
            content: Some(Box::new(content::text("as it should read"))),
        })),
        "deletion" => Kind::Deletion(Deletion { target: target() }),
        "call_signal" => Kind::CallSignal(CallSignal {
            state: CallState::Missed.into(),
            call_id: "call-1".to_owned(),
            ..CallSignal::default()
        }),
        "custom" => Kind::Custom(Custom {
            kind: "sticker_pack".to_owned(),
            data: Some(Struct { fields: [("pack".to_owned(), Value::from("cats"))].into() }),
            fallback: "a pack of stickers".to_owned(),
        }),
        "selection" => Kind::Selection(Selection {
            option_id: "tea".to_owned(),
            title: "Tea".to_owned(),
            ..Selection::default()
        }),
        _ => return None,
    })
}

fn image() -> Media {
    Media {
        kind: MediaKind::Image.into(),
        url: "https://media.example.com/tea.png".to_owned(),
        content_type: "image/png".to_owned(),
        file_name: "tea.png".to_owned(),
        size_bytes: 4096,
        caption: "A cup of tea".to_owned(),
        ..Media::default()
    }
}

fn options() -> Vec<Answer> {
    let option =
        |id: &str, title: &str| Answer { id: id.to_owned(), title: title.to_owned(), ..Answer::default() };
    vec![option("tea", "Tea"), option("coffee", "Coffee")]
}

fn card(title: &str) -> Card {
    Card {
        title: title.to_owned(),
        body: "Hot".to_owned(),
        media: Some(image()),
        options: options(),
        ..Card::default()
    }
}
