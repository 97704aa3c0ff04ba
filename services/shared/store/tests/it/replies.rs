use std::time::Duration;

use heliograph_store::handles::{HandleKey, Handles};
use heliograph_store::replies::{Customer, Replies};
use heliograph_store::uploads::{UploadKey, Uploads};
use secrecy::ExposeSecret as _;

use crate::support::{redis, redis_server};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_taken_by_one_delivery_which_keeps_it() {
    let server = redis_server().await;
    let (replies, replica) = (Replies::new(redis(&server).await), Replies::new(redis(&server).await));
    let ann = Customer { channel: "line", account: "shop", user_id: "Uann" };
    replies.keep("acme", &ann, &"first".into(), MINUTE).await.unwrap();
    replies.keep("acme", &ann, &"second".into(), MINUTE).await.unwrap();
    let taken = replies.take("acme", &ann, "dlv_1").await.unwrap().unwrap();
    assert_eq!((taken.value.expose_secret(), taken.before), ("second", false));
    let again = replica.take("acme", &ann, "dlv_1").await.unwrap().unwrap();
    assert_eq!((again.value.expose_secret(), again.before), ("second", true));
    assert!(replies.take("acme", &ann, "dlv_2").await.unwrap().is_none(), "it is used up");
    replies.keep("acme", &ann, &"third".into(), MINUTE).await.unwrap();
    for _ in 0..2 {
        let newest = replica.newest("acme", &ann).await.unwrap().unwrap();
        assert_eq!(newest.expose_secret(), "third", "looking takes nothing");
    }
    assert!(replies.newest("other", &ann).await.unwrap().is_none(), "another tenant's");
    assert!(replies.take("other", &ann, "dlv_3").await.unwrap().is_none(), "another tenant's");
    let before = replies.take("acme", &ann, "dlv_1").await.unwrap().unwrap();
    assert_eq!(before.value.expose_secret(), "second", "a delivery has one handle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_was_refused_counts_as_unused_until_it_is_tried_again() {
    let server = redis_server().await;
    let replies = Replies::new(redis(&server).await);
    let ann = Customer { channel: "line", account: "shop", user_id: "Uann" };
    replies.unused("acme", "dlv_1").await.unwrap();
    assert!(replies.take("acme", &ann, "dlv_1").await.unwrap().is_none(), "nothing comes of nothing");
    replies.keep("acme", &ann, &"token".into(), MINUTE).await.unwrap();
    for _ in 0..2 {
        assert!(!replies.take("acme", &ann, "dlv_1").await.unwrap().unwrap().before);
        replies.unused("acme", "dlv_1").await.unwrap();
    }
    let taken = replies.take("acme", &ann, "dlv_1").await.unwrap().unwrap();
    assert_eq!((taken.value.expose_secret(), taken.before), ("token", false));
    assert!(replies.take("acme", &ann, "dlv_1").await.unwrap().unwrap().before, "of that one nobody knows");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_remembered_until_it_is_known_to_be_gone() {
    let server = redis_server().await;
    let uploads = Uploads::new(redis(&server).await);
    let key = UploadKey { tenant: "acme", channel: "wechat", account: "shop", source: "med_1" };
    assert_eq!(uploads.recall(&key).await.unwrap(), None);
    uploads.remember(&key, "id-1", MINUTE).await.unwrap();
    uploads.forget(&key, "id-0").await.unwrap();
    assert_eq!(uploads.recall(&key).await.unwrap().as_deref(), Some("id-1"));
    assert_eq!(uploads.recall(&UploadKey { account: "other", ..key }).await.unwrap(), None);
    uploads.forget(&key, "id-1").await.unwrap();
    assert_eq!(uploads.recall(&key).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_of_a_message_are_kept_apart_and_the_first_stays() {
    let server = redis_server().await;
    let handles = Handles::new(redis(&server).await);
    let quote = HandleKey { channel: "line", account: "shop", purpose: "quote", message: "msg_1" };
    let read = HandleKey { purpose: "read", ..quote };
    let (first, second) = ("first".into(), "second".into());
    handles.keep("acme", &[(quote, &first, MINUTE), (read, &second, MINUTE)]).await.unwrap();
    handles.keep("acme", &[(quote, &second, MINUTE)]).await.unwrap();
    handles.keep("acme", &[]).await.unwrap();
    let find = async |tenant, key| {
        handles.find(tenant, &key).await.unwrap().map(|found| found.expose_secret().to_owned())
    };
    assert_eq!(find("acme", quote).await.as_deref(), Some("first"));
    assert_eq!(find("acme", read).await.as_deref(), Some("second"));
    assert_eq!(find("other", quote).await, None, "another tenant's");
    assert_eq!(find("acme", HandleKey { account: "other", ..quote }).await, None);
}
