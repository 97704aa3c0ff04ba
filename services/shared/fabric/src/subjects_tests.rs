#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

#[test]
fn every_builder_has_its_parser() {
    let subject = inbound(3, "acme", "sms").unwrap();
    assert_eq!(subject, "hg.inbound.3.acme.sms");
    assert_eq!(subject.parse::<Inbound>().unwrap().to_string(), subject);

    let subject = routing(0, "acme").unwrap();
    assert_eq!(subject, "hg.routing.0.acme");
    assert_eq!(subject.parse::<Routing>().unwrap().to_string(), subject);

    let subject = event("acme", "islands", "bottle", "cnv_0123", "message.in_doubt").unwrap();
    assert_eq!(subject, "hg.event.acme.islands.bottle.cnv_0123.message.in_doubt");
    let parsed = subject.parse::<Event>().unwrap();
    assert_eq!((parsed.kind.as_str(), parsed.conversation.as_str()), ("message.in_doubt", "cnv_0123"));
    assert_eq!(parsed.to_string(), subject);

    let subject = outbound("wechat", 15, "acme").unwrap();
    assert_eq!(subject, "hg.outbound.wechat.15.acme");
    assert_eq!(subject.parse::<Outbound>().unwrap().to_string(), subject);

    let subject = dead("egress", "acme", "").unwrap();
    assert_eq!(subject, "hg.dead.egress.acme.none");
    assert_eq!(subject.parse::<Dead>().unwrap().to_string(), subject);
}

#[test]
fn what_an_event_lacks_is_none() {
    assert_eq!(
        event("acme", "", "", "", "agent.online").unwrap(),
        "hg.event.acme.none.none.none.agent.online"
    );
}

#[test]
fn filters_cover_what_they_name_and_never_leave_the_tenant() {
    let all = EventFilter { tenant: "acme", ..EventFilter::default() };
    assert_eq!(all.subject().unwrap(), "hg.event.acme.*.*.*.*.*");
    let some =
        EventFilter { tenant: "acme", channel: Some("sms"), kind: Some("message"), ..EventFilter::default() };
    assert_eq!(some.subject().unwrap(), "hg.event.acme.*.sms.*.message.*");
    for tenant in ["", "*", ">", "acme.>"] {
        assert!(EventFilter { tenant, ..EventFilter::default() }.subject().is_err(), "{tenant:?}");
    }
    let wide = EventFilter { tenant: "acme", conversation: Some("*"), ..EventFilter::default() };
    assert!(wide.subject().is_err());
}

#[test]
fn foreign_subjects_are_not_parsed() {
    for subject in [
        "hg.inbound.x.acme.sms",
        "hg.inbound.01.acme.sms",
        "hg.inbound.+1.acme.sms",
        "hg.inbound.1.acme",
        "x.inbound.1.a.b",
    ] {
        assert!(subject.parse::<Inbound>().is_err(), "{subject}");
    }
    assert!("hg.event.acme.r.c.cnv.message".parse::<Event>().is_err());
    assert!("hg.event.acme.r.c.cnv.message.received.extra".parse::<Event>().is_err());
}

#[test]
fn streams_know_their_subjects() {
    assert_eq!(Stream::of_subject("hg.inbound.1.a.b"), Some(Stream::Inbound));
    assert_eq!(Stream::of_subject("hg.event.a.b.c.d.e.f"), Some(Stream::Events));
    assert_eq!(Stream::of_subject("$KV.x"), None);
    for stream in Stream::ALL {
        assert_eq!(Stream::by_name(stream.name()), Some(stream));
    }
}

proptest! {
    #[test]
    fn nothing_from_outside_widens_a_subject(tenant in ".{0,12}", channel in ".{0,12}", kind in ".{0,12}") {
        if let Ok(subject) = inbound(1, &tenant, &channel) {
            prop_assert_eq!(subject.split('.').count(), 5);
            prop_assert!(!subject.contains(['*', '>', ' ']));
            let parsed = subject.parse::<Inbound>().unwrap();
            prop_assert_eq!((parsed.tenant, parsed.channel), (tenant.clone(), channel));
        }
        if let Ok(subject) = event("acme", "", "", "", &kind) {
            prop_assert_eq!(subject.split('.').count(), 8);
            prop_assert!(!subject.contains(['*', '>', ' ']));
        }
    }

    #[test]
    fn names_always_build(tenant in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", partition in 0_u16..2000) {
        let subject = outbound("sms", partition, &tenant).unwrap();
        prop_assert_eq!(subject.parse::<Outbound>().unwrap(), Outbound { channel: "sms".to_owned(), partition, tenant });
    }
}
