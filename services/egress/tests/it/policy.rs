//! The policy in force when a message leaves decides.

use heliograph_proto::v1::{
    Content, Media, Message, MessageClass, Notice, OutboundMessage, Template, content::Kind, event::Payload,
    outbound_message, template_parameter::Value, verdict,
};
use heliograph_store::{
    consent::{Choice, ConsentStore, Statement, Subject},
    now_ms,
};

use crate::{
    api::{client, order, with_token},
    rules::{customer_wrote, refusal, with_window},
    support::{Channel, Step, World, code, until},
};

/// Message number `number`, to this number.
fn to_number(conversation: &str, number: usize, user: &str) -> OutboundMessage {
    let mut out = World::outbound("sms", conversation, number);
    user.clone_into(&mut out.message.as_mut().unwrap().address.as_mut().unwrap().user_id);
    out
}

async fn opt_out(world: &World, contact: &str) {
    let consent = ConsentStore::open(world.fabric.jetstream()).await.unwrap();
    let statement = Statement {
        choice: Choice::OptedOut,
        source: "keyword STOP".into(),
        cause: "evt_1".into(),
        at_ms: now_ms(),
    };
    consent.record(&Subject::new("acme", contact, Some("sms"), "service"), &statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_region_forbids_needs_no_channel_that_answers() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    drop(sms);
    // Whatever was said when the customer wrote, and whatever region the conversation was opened in.
    world.queue(&to_number("cnv_1", 0, "+4930123456")).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    let (outcome, code) = refusal(&refused[0]);
    assert_eq!(outcome, verdict::Outcome::Deny);
    assert!(code.starts_with("policy."), "{code}");
    let Some(Payload::MessageRefused(refused)) = &refused[0].payload else { panic!("{refused:?}") };
    assert_eq!(refused.verdict.as_ref().unwrap().region.as_ref().unwrap().name, "europe");
    world.drained("sms").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_in_use_sends_nothing() {
    let world = World::start().await;
    let off = "{ channel: sms, provider: sinch, enabled: false }";
    for name in ["main", "other"] {
        let head = "apiVersion: heliograph.dev/v1\nkind: ChannelAccount\n";
        world.apply(&format!("{head}metadata: {{ tenant: acme, name: {name} }}\nspec: {off}\n")).await;
    }
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    world.events_of("cnv_1", "message.refused", 1).await;
    world.drained("sms").await;
    assert!(sms.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_changes_between_two_messages_changes_what_happens_to_them() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let mut client = client(&egress.grpc).await;
    world.queue(&to_number("cnv_1", 0, "+12025550123")).await;
    let sent = world.events_of("cnv_1", "message.sent", 1).await;
    let why = sent[0].reasons.iter().find(|reason| reason.code == "policy.allowed").unwrap().text.clone();
    let mut ask = async || {
        let asked =
            heliograph_proto::v1::SendRequest { dry_run: true, ..order("k", "sms", "main", "+12025550123") };
        client.send(with_token(asked)).await.unwrap().into_inner().verdict.unwrap()
    };
    let before = ask().await;
    assert!(why.contains(&format!("version {}", before.policy_version)), "{why}");
    world
        .policy("  rules:\n    - { name: quiet, match: { channels: [sms] }, then: deny, reason: no more }\n")
        .await;
    let mut after = ask().await;
    while after.policy_version == before.policy_version {
        tokio::task::yield_now().await;
        after = ask().await;
    }
    assert_eq!((before.outcome(), after.outcome()), (verdict::Outcome::Allow, verdict::Outcome::Deny));
    world.queue(&to_number("cnv_1", 1, "+12025550123")).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    let Some(Payload::MessageRefused(refused)) = &refused[0].payload else { panic!("{refused:?}") };
    let verdict = refused.verdict.as_ref().unwrap();
    assert_eq!(verdict.policy_version, after.policy_version);
    assert!(verdict.fired[0].text.contains("no more"), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_stop_or_help_may_follow_an_opt_out_and_nothing_else() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let notice = |conversation: &str, notice: Notice, user: &str| OutboundMessage {
        notice: notice.into(),
        ..to_number(conversation, 0, user)
    };
    let said = [
        ("cnv_stop", notice("cnv_stop", Notice::OptOut, "+12025550123"), true),
        ("cnv_help", notice("cnv_help", Notice::Help, "+12025550124"), true),
        ("cnv_plain", notice("cnv_plain", Notice::Unspecified, "+12025550125"), false),
        ("cnv_start", notice("cnv_start", Notice::OptIn, "+12025550126"), false),
        // The region's rules hold for it all the same.
        ("cnv_abroad", notice("cnv_abroad", Notice::OptOut, "+4930123456"), false),
    ];
    for (_, out, _) in &said {
        opt_out(&world, &out.contact).await;
        world.queue(out).await;
    }
    let _egress = world.egress(&[&sms]).await;
    for (conversation, _, passes) in &said {
        let kind = if *passes { "message.sent" } else { "message.refused" };
        world.events_of(conversation, kind, 1).await;
    }
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 2);
}

const TEMPLATES: &str =
    "  templates:\n    - { channel: webchat, name: we_wrote, language: en, text_parameter: text }\n";

#[tokio::test(flavor = "multi_thread")]
async fn when_the_window_is_closed_the_policys_template_stands_in() {
    let world = World::start().await;
    world.policy(TEMPLATES).await;
    let webchat = with_window(0);
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_closed", 2 * 3_600_000).await;
    customer_wrote(&world, "webchat", "cnv_open", 60_000).await;
    for conversation in ["cnv_closed", "cnv_open"] {
        world.queue_many("webchat", conversation, 1).await;
    }
    let sent = world.events_of("cnv_closed", "message.sent", 1).await;
    let Some(Payload::MessageSent(sent)) = &sent[0].payload else { panic!("{sent:?}") };
    assert_eq!(sent.transcoding[0].code, "window.template");
    world.events_of("cnv_open", "message.sent", 1).await;
    world.drained("webchat").await;
    let calls = webchat.calls();
    let content = |conversation: &str| {
        let call = calls.iter().find(|call| call.request.conversation == conversation).unwrap();
        call.request
            .message
            .clone()
            .and_then(|message| message.content)
            .and_then(|content| content.kind)
            .unwrap()
    };
    let Kind::Template(template) = content("cnv_closed") else { panic!("a template") };
    assert_eq!((template.name.as_str(), template.language.as_str()), ("we_wrote", "en"));
    let parameter = &template.components[0].parameters[0];
    assert_eq!(
        (parameter.name.as_str(), parameter.value.as_ref()),
        ("text", Some(&Value::Text("0".to_owned())))
    );
    assert!(matches!(content("cnv_open"), Kind::Text(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_stands_in_when_the_provider_says_that_the_window_is_closed_and_only_once() {
    let world = World::start().await;
    world.policy(TEMPLATES).await;
    let webchat = with_window(0);
    webchat.plan(|request, _| {
        let content = request.message.as_ref().unwrap().content.as_ref().unwrap();
        if matches!(content.kind, Some(Kind::Template(_))) {
            return Step::Answer(crate::support::delivered(&request.delivery_id));
        }
        let error = code(heliograph_proto::v1::ErrorClass::WindowClosed, "45015");
        Step::Answer(heliograph_proto::v1::deliver_response::Outcome::WindowClosed(error))
    });
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_1", 1_000).await;
    let out = World::outbound("webchat", "cnv_1", 0);
    world.queue(&out).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    // The same item again, which the broker does not know for a repeat any more, says the same thing.
    customer_wrote(&world, "webchat", "cnv_1", 500).await;
    world.queue_again(&out).await;
    world.drained("webchat").await;
    assert_eq!(webchat.calls().len(), 2, "the text, and the template");
    assert!(world.events("cnv_1").await.iter().all(|event| event.r#type != "message.refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_the_provider_does_not_take_either_is_refused() {
    let world = World::start().await;
    world.policy(TEMPLATES).await;
    let webchat = with_window(0);
    webchat.plan(|_, _| {
        let error = code(heliograph_proto::v1::ErrorClass::WindowClosed, "45015");
        Step::Answer(heliograph_proto::v1::deliver_response::Outcome::WindowClosed(error))
    });
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_1", 1_000).await;
    world.queue_many("webchat", "cnv_1", 1).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]).0, verdict::Outcome::NeedsTemplate);
    assert_eq!(webchat.calls().len(), 2);
    let mut own = World::outbound("webchat", "cnv_2", 0);
    let template = Template { name: "hello".into(), rendered: "Hello".into(), ..Template::default() };
    own.message.as_mut().unwrap().content = Some(Content { kind: Some(Kind::Template(template)) });
    world.queue(&own).await;
    let refused = world.events_of("cnv_2", "message.refused", 1).await;
    let (outcome, code) = refusal(&refused[0]);
    assert_ne!(outcome, verdict::Outcome::Allow);
    assert!(code.contains("window"), "{code}");
    world.drained("webchat").await;
    assert_eq!(webchat.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_on_the_window_are_judged_by_the_window_there_is() {
    let world = World::start().await;
    world
        .policy(
            "  rules:\n    - { name: open, when: \"window.open && message.kind == 'template'\", then: deny }\n    \
             - { name: closed, when: \"!window.open && message.kind == 'media'\", then: deny }\n",
        )
        .await;
    let webchat = with_window(2);
    let _egress = world.egress(&[&webchat]).await;
    let say = |conversation: &str, number, kind| {
        let mut out = World::outbound("webchat", conversation, number);
        out.message.as_mut().unwrap().content = Some(Content { kind: Some(kind) });
        out
    };
    let template =
        || Kind::Template(Template { name: "hello".into(), rendered: "Hello".into(), ..Template::default() });
    // Redis knows of no window; the transcripts do. A template needs none, and is judged by it nevertheless.
    customer_wrote(&world, "webchat", "cnv_closed", 2 * 3_600_000).await;
    customer_wrote(&world, "webchat", "cnv_open", 60_000).await;
    world.queue(&say("cnv_closed", 8, template())).await;
    world.events_of("cnv_closed", "message.sent", 1).await;
    world.queue(&say("cnv_open", 8, template())).await;
    let refused = world.events_of("cnv_open", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]), (verdict::Outcome::Deny, "policy.rule.deny".to_owned()));
    // Looking takes nothing: two may go. What no rule speaks of is the window's to say.
    world.queue_many("webchat", "cnv_open", 3).await;
    world.events_of("cnv_open", "message.sent", 2).await;
    let refused = world.events_of("cnv_open", "message.refused", 2).await;
    assert_eq!(refusal(&refused[1]).0, verdict::Outcome::NeedsTemplate);
    world.queue(&say("cnv_closed", 9, Kind::Media(Media::default()))).await;
    let refused = world.events_of("cnv_closed", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]), (verdict::Outcome::Deny, "policy.rule.deny".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_stands_twice_in_the_stream_is_not_contradicted() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let client = client(&egress.grpc).await;
    let out = to_number("cnv_1", 0, "+12025550123");
    world.queue(&out).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    world.policy("  rules:\n    - { name: quiet, match: { channels: [sms] }, then: deny }\n").await;
    until("the new policy", || {
        let mut client = client.clone();
        async move {
            let asked = heliograph_proto::v1::SendRequest {
                dry_run: true,
                ..order("k", "sms", "main", "+12025550123")
            };
            let verdict = client.send(with_token(asked)).await.unwrap().into_inner().verdict.unwrap();
            (verdict.outcome() == verdict::Outcome::Deny).then_some(())
        }
    })
    .await;
    world.queue_again(&out).await;
    world.drained("sms").await;
    let kinds: Vec<String> = world.events("cnv_1").await.into_iter().map(|event| event.r#type).collect();
    assert_eq!(kinds, ["message.sent"]);
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_needs_an_opt_in_and_a_template_is_no_excuse() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.capable(|capabilities| capabilities.content.push("template".to_owned()));
    let _egress = world.egress(&[&sms]).await;
    let mut out = to_number("cnv_1", 0, "+12025550123");
    out.purpose = outbound_message::Purpose::Send.into();
    let template = Template { name: "offer".into(), rendered: "An offer".into(), ..Template::default() };
    out.message = Some(Message {
        message_class: MessageClass::Marketing.into(),
        content: Some(Content { kind: Some(Kind::Template(template)) }),
        ..out.message.unwrap()
    });
    world.queue(&out).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]).0, verdict::Outcome::NeedsConsent);
    assert!(sms.calls().is_empty());
}
