//! Signing in.

use heliograph_desk::DeskConfig;
use heliograph_proto::v1::{SignInRequest, desk_service_client::DeskServiceClient};
use serde_json::json;

use crate::support::{TENANT, World, config, http_client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_gives_a_token_over_both_transports() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let (status, body) = desk.login(TENANT, "ada@example.com", "password of ada").await;
    assert_eq!(status, 200, "{body}");
    assert!(body["token"].as_str().is_some_and(|token| token.split('.').count() == 3));
    let agent = json!({"tenant": "acme", "name": "ada", "displayName": "ADA", "roles": ["agent"], "queues": ["sales"]});
    assert_eq!(body["agent"], agent);

    let channel = heliograph_runtime::grpc::channel(&format!("http://{}", desk.grpc)).unwrap();
    let mut client = DeskServiceClient::new(channel);
    let request = |password: &str| SignInRequest {
        tenant: TENANT.to_owned(),
        login: "ada@example.com".to_owned(),
        password: password.to_owned(),
    };
    let response = client.sign_in(request("password of ada")).await.unwrap().into_inner();
    assert_eq!(response.agent.unwrap().name, "ada");
    let status = client.sign_in(request("password of bob")).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_is_answered_alike() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let mut answers = Vec::new();
    for (tenant, login, password) in [
        (TENANT, "ada@example.com", "password of bob"),
        (TENANT, "nobody@example.com", "password of ada"),
        ("globex", "ada@example.com", "password of ada"),
        ("nowhere", "ada@example.com", "password of ada"),
        ("not a tenant", "ada@example.com", "password of ada"),
        (TENANT, "ada@example.com", ""),
    ] {
        let (status, body) = desk.login(tenant, login, password).await;
        assert_eq!(status, 401, "{tenant} {login}");
        answers.push(body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");

    let client = http_client();
    let garbage = client.post(desk.url("/desk/login")).header("content-type", "application/json").body("{");
    assert_eq!(garbage.send().await.unwrap().status(), 400);
    let form = client.post(desk.url("/desk/login")).body("tenant=acme");
    assert_eq!(form.send().await.unwrap().status(), 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_limited_for_each_login() {
    let world = World::start().await;
    let desk = world.desk(DeskConfig { sign_ins_per_minute: 3, ..config() }).await;
    for _ in 0..3 {
        assert_eq!(desk.login(TENANT, "ada@example.com", "wrong").await.0, 401);
    }
    let (status, body) = desk.login(TENANT, "ada@example.com", "password of ada").await;
    assert_eq!((status, body["code"].as_str()), (429, Some("too_many_tries")));
    assert_eq!(desk.login(TENANT, "bob@example.com", "password of bob").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_development_users_the_refusal_says_what_comes() {
    let world = World::start().await;
    let desk = world.desk(DeskConfig { dev_users: false, ..config() }).await;
    let (status, body) = desk.login(TENANT, "ada@example.com", "password of ada").await;
    assert_eq!(status, 501);
    assert!(body["message"].as_str().unwrap().contains("OpenID Connect"), "{body}");
}
