//! A broker that is away: 503, never a lost message.

use std::sync::Arc;

use heliograph_tests::{agent::Agent, eventually, fleet::Fleet, peers::Signed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_broker_webhooks_answer_503_and_what_was_answered_200_arrives() {
    let mut fleet = Fleet::start(&["sms", "router", "egress", "desk"]).await;
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", Arc::new(|_, _| None)).await;
    let customer = fleet.sandbox.customer("acme-us", "+12125550100", "Amy");
    assert_eq!(customer.say("before").await.status, Some(200));

    fleet.nats.nodes()[0].kill9();
    let call = customer.compose("during");
    let signed = Signed {
        query: String::new(),
        headers: call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: call.body.clone(),
    };
    let (status, answer) = heliograph_tests::peers::post(&call.url, &signed).await;
    assert_eq!(status, 503, "{answer}");

    fleet.nats.nodes()[0].restart().await.unwrap();
    eventually("the ingress accepts again", || async {
        (customer.post(&call).await == Some(200)).then_some(())
    })
    .await;
    assert_eq!(customer.say("after").await.status, Some(200));
    let seen = agent.wait("all three", |seen| (seen.count() >= 3).then(|| seen.clone())).await;
    assert_eq!(seen.texts_of("+12125550100"), ["before", "during", "after"]);
    assert_eq!(fleet.process("sms").terminate().await, Some(0));
}
