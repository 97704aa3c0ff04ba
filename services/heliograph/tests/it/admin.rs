//! `AdminService`, as `heliograph run admin` serves it.

use std::{process::Stdio, time::Duration};

use heliograph_proto::v1::{
    ApplyResourcesRequest, DeleteResourceRequest, ExplainPolicyRequest, ExplainRoutingRequest,
    GetResourceRequest, ListDeadLettersRequest, ListResourcesRequest,
    admin_service_client::AdminServiceClient, resource_change::Action, rule_asked::Answer, verdict::Outcome,
};
use tonic::{Code, Request, transport::Channel};

use crate::support::{Bench, SAMPLE};

const TOKEN: &str = "made-up-admin-token";

/// A request that shows the token.
fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

/// A port nobody listens on at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn connect(url: String) -> AdminServiceClient<Channel> {
    let connecting = async {
        loop {
            if let Ok(client) = AdminServiceClient::connect(url.clone()).await {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), connecting).await.expect("it listens in time")
}

#[tokio::test]
async fn what_the_command_line_does_can_be_done_over_grpc() {
    let bench = Bench::provisioned().await;
    let grpc = format!("127.0.0.1:{}", free_port());
    let mut command = bench.command(&["run", "admin", "--http", "127.0.0.1:0", "--grpc", &grpc]);
    let _child = command.env("HELIOGRAPH__ADMIN__TOKEN", TOKEN).stderr(Stdio::null()).spawn().unwrap();
    let mut admin = connect(format!("http://{grpc}")).await;

    let stranger = admin.list_resources(ListResourcesRequest::default()).await.unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated);

    let apply = |manifest: &str, dry_run| {
        with_token(ApplyResourcesRequest {
            manifest: manifest.to_owned(),
            file_name: "acme.yaml".to_owned(),
            dry_run,
        })
    };
    let bad = admin.apply_resources(apply(&SAMPLE.replace("[US, CA]", "[US, XX]"), false)).await.unwrap_err();
    assert_eq!(bad.code(), Code::InvalidArgument);
    assert!(
        bad.message().contains("acme.yaml:") && bad.message().contains("countries[1]"),
        "{}",
        bad.message()
    );

    let changes = admin.apply_resources(apply(SAMPLE, true)).await.unwrap().into_inner().changes;
    assert!(changes.iter().all(|change| change.action() == Action::Created));
    admin.apply_resources(apply(SAMPLE, false)).await.unwrap();
    let again = admin.apply_resources(apply(SAMPLE, false)).await.unwrap().into_inner().changes;
    assert!(again.iter().all(|change| change.action() == Action::Unchanged));

    let all = admin.list_resources(with_token(ListResourcesRequest::default())).await.unwrap().into_inner();
    assert_eq!(all.resources.len(), 25);
    for secret in ["made-up-sinch-token", "whsec_", "madeupwechattoken"] {
        assert!(all.resources.iter().all(|resource| !resource.json.contains(secret)), "{secret} is shown");
    }
    let get = |name: &str| {
        let (kind, tenant) = ("Queue".to_owned(), "acme".to_owned());
        with_token(GetResourceRequest { kind, tenant, name: name.to_owned(), version: 1 })
    };
    let queue = admin.get_resource(get("support")).await.unwrap().into_inner().resource.unwrap();
    assert_eq!((queue.version, queue.applied_by.as_str()), (1, "admin-api"));
    assert_eq!(admin.get_resource(get("nobody")).await.unwrap_err().code(), Code::NotFound);

    let question = ExplainPolicyRequest {
        tenant: "acme".to_owned(),
        user_id: "+5511987654321".to_owned(),
        channel: "sms".to_owned(),
        ..ExplainPolicyRequest::default()
    };
    let verdict = admin.explain_policy(with_token(question)).await.unwrap().into_inner().verdict.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Deny);

    let question = ExplainRoutingRequest {
        tenant: "acme".to_owned(),
        user_id: "+12125550100".to_owned(),
        channel: "sms".to_owned(),
        account: "acme-us".to_owned(),
        text: "I want to BUY".to_owned(),
        ..ExplainRoutingRequest::default()
    };
    let routed = admin.explain_routing(with_token(question.clone())).await.unwrap().into_inner();
    assert_eq!(routed.wanted.unwrap().queue, "sales");
    assert_eq!((routed.rules[0].rule.as_str(), routed.rules[0].answer()), ("buyers", Answer::Decides));
    assert_eq!((routed.region.unwrap().name.as_str(), routed.queue_priority), ("north-america", 1));
    assert_eq!((routed.timeline[0].after_seconds, routed.unattended), (30, false));
    let nobody = ExplainRoutingRequest { tenant: "nobody".to_owned(), ..question.clone() };
    assert_eq!(admin.explain_routing(with_token(nobody)).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = ExplainRoutingRequest { contact: "con_nobody".to_owned(), ..question };
    assert_eq!(admin.explain_routing(with_token(unknown)).await.unwrap_err().code(), Code::NotFound);

    let delete =
        DeleteResourceRequest { kind: "Queue".into(), tenant: "acme".into(), name: "support".into() };
    assert_eq!(admin.delete_resource(with_token(delete)).await.unwrap_err().code(), Code::FailedPrecondition);
    let letters = admin.list_dead_letters(with_token(ListDeadLettersRequest::default())).await.unwrap();
    assert!(letters.into_inner().letters.is_empty());
}

#[tokio::test]
async fn without_a_token_it_does_not_start() {
    let bench = Bench::provisioned().await;
    let refused = bench.run(&["run", "admin", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]).await;
    assert_eq!(refused.code, 78, "{}", refused.err);
    assert!(refused.err.contains("HELIOGRAPH__ADMIN__TOKEN"), "{}", refused.err);
}
