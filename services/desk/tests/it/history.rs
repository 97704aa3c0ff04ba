//! A conversation's history, and who may read it.

use heliograph_proto::v1::{
    CommandRefused, GetHistoryRequest, History, LoadHistory, desk_service_client::DeskServiceClient,
    event::Payload, session_request, session_response::Frame,
};

use crate::support::{
    BOTH, Client, DeskAt, TENANT, Transport, World, assigned, body, config, fact, holding, offered, said,
};

async fn load(client: &mut Client, conversation: &str, before: u64, limit: i32) -> Result<History, String> {
    let load = LoadHistory { conversation: conversation.to_owned(), before, limit };
    client.send(session_request::Frame::LoadHistory(load)).await;
    client
        .until(|frame| match frame {
            Frame::History(history) => Some(Ok(history)),
            Frame::Error(error) => Some(Err(error.code)),
            _ => None,
        })
        .await
}

fn bodies(history: &History) -> Vec<&str> {
    history.events.iter().map(|entry| body(entry.event.as_ref().unwrap())).collect()
}

async fn get(desk: &DeskAt, token: &str, conversation: &str) -> Result<History, tonic::Code> {
    let channel = heliograph_runtime::grpc::channel(&format!("http://{}", desk.grpc)).unwrap();
    let request = GetHistoryRequest {
        token: token.to_owned(),
        conversation: conversation.to_owned(),
        ..GetHistoryRequest::default()
    };
    let response = DeskServiceClient::new(channel).get_history(request).await;
    response.map(|response| response.into_inner().history.unwrap()).map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_from_the_newest_back_and_say_whether_there_is_more() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    for number in 0..5 {
        world.publish(&said("cnv_1", &number.to_string())).await;
        world.publish(&said("cnv_2", "another")).await;
    }
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    for transport in BOTH {
        let (mut client, _) = Client::begin(&desk, transport, &token).await;
        let newest = load(&mut client, "cnv_1", 0, 2).await.unwrap();
        assert_eq!((bodies(&newest), newest.more), (vec!["3", "4"], true));
        let before = newest.events[0].sequence;
        let rest = load(&mut client, "cnv_1", before, 10).await.unwrap();
        assert_eq!((bodies(&rest), rest.more), (vec!["0", "1", "2"], false));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_five_hundred_events_at_most_and_two_hundred_usually() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    for number in 0..510 {
        world.publish(&said("cnv_1", &number.to_string())).await;
    }
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    for (asked, given) in [(0, 200), (10_000, 500), (-3, 200)] {
        let history = load(&mut client, "cnv_1", 0, asked).await.unwrap();
        assert_eq!((history.events.len(), history.more), (given, true), "asked for {asked}");
        assert_eq!(bodies(&history).last(), Some(&"509"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_has_had_or_is_offered_a_conversation_reads_it() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.publish(&said("cnv_bobs", "to bob")).await;
    world.publish(&assigned("cnv_bobs", "bob")).await;
    // Asking for something about it does not make it hers.
    let refused = CommandRefused { command_id: "x".to_owned(), agent: "ada".to_owned() };
    world.publish(&fact("cnv_bobs", Payload::CommandRefused(refused))).await;
    world.publish(&said("cnv_had", "to ada once")).await;
    world.publish(&assigned("cnv_had", "ada")).await;
    world.publish(&said("cnv_offered", "to whom it may concern")).await;
    for agent in ["ada", "cleo"] {
        world.router.set(TENANT, agent, holding(&[]));
    }
    world.router.set("globex", "eve", holding(&[]));
    let ada = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::WebSocket, &ada).await;
    world.publish(&offered("cnv_offered", "ada", "rsv_1")).await;
    client.event().await;
    assert_eq!(load(&mut client, "cnv_bobs", 0, 0).await.unwrap_err(), "forbidden");
    assert_eq!(load(&mut client, "cnv_nowhere", 0, 0).await.unwrap_err(), "forbidden");
    assert_eq!(load(&mut client, "*", 0, 0).await.unwrap_err(), "no_conversation");
    assert_eq!(load(&mut client, "none", 0, 0).await.unwrap_err(), "no_conversation");
    assert_eq!(load(&mut client, "cnv_had", 0, 0).await.unwrap().events.len(), 2);
    assert_eq!(load(&mut client, "cnv_offered", 0, 0).await.unwrap().events.len(), 2);

    let cleo = desk.token(TENANT, "cleo").await;
    let (mut supervisor, _) = Client::begin(&desk, Transport::WebSocket, &cleo).await;
    assert_eq!(load(&mut supervisor, "cnv_bobs", 0, 0).await.unwrap().events.len(), 3);
    // A supervisor of another company finds nothing here.
    let eve = desk.token("globex", "eve").await;
    let (mut stranger, _) = Client::begin(&desk, Transport::WebSocket, &eve).await;
    assert!(load(&mut stranger, "cnv_bobs", 0, 0).await.unwrap().events.is_empty());

    assert_eq!(get(&desk, &ada, "cnv_had").await.unwrap().events.len(), 2);
    assert_eq!(get(&desk, &ada, "cnv_bobs").await.unwrap_err(), tonic::Code::PermissionDenied);
    assert_eq!(get(&desk, "garbage", "cnv_had").await.unwrap_err(), tonic::Code::Unauthenticated);
}
