use heliograph_store::media::{MediaStore, Medium, Refusal};
use heliograph_store::objects::{ObjectError, Objects, ObjectsConfig};
use heliograph_store::snapshots::SnapshotStore;
use tokio::io::AsyncReadExt;

use crate::support::{Nats, nats};

/// Both places, so that every test here says the same of both.
async fn places(nats: &Nats, directory: &tempfile::TempDir, bucket: &str) -> Vec<Objects> {
    let configs = [ObjectsConfig::Directory(directory.path().to_owned()), ObjectsConfig::Nats];
    let mut places = Vec::new();
    for config in &configs {
        places.push(Objects::open(config, &nats.context, bucket).await.unwrap());
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_snapshots_are_kept() {
    let (nats, directory) = (nats().await, tempfile::tempdir().unwrap());
    for objects in places(&nats, &directory, "HG_SNAPSHOTS").await {
        let store = SnapshotStore::new(objects, 3);
        assert_eq!(store.latest("routing-0").await.unwrap(), None);
        assert_eq!(store.oldest_position("routing-0").await.unwrap(), None);
        for (n, position) in [10_u64, 20, 30, 40, 50].into_iter().enumerate() {
            // Larger than a piece, so that it is written in several.
            let state = position.to_be_bytes().repeat(40_000);
            store.put("routing-0", position, &state).await.unwrap();
            let latest = store.latest("routing-0").await.unwrap().unwrap();
            assert_eq!((latest.position, latest.state.as_ref()), (position, state.as_slice()));
            let oldest = store.oldest_position("routing-0").await.unwrap();
            assert_eq!(oldest, (n >= 2).then(|| position - 20), "none before there are as many as should be");
        }
        store.put("routing-0", 25, b"very late").await.unwrap();
        assert_eq!(store.oldest_position("routing-0").await.unwrap(), Some(30));
        // An owner that lost its partition and comes late does not turn time back.
        store.put("routing-0", 45, b"late").await.unwrap();
        assert_eq!(store.latest("routing-0").await.unwrap().unwrap().position, 50);
        assert_eq!(store.latest("routing-1").await.unwrap(), None);
        store.put("routing-1", 1, b"").await.unwrap();
        assert_eq!(store.latest("routing-1").await.unwrap().unwrap().position, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_gives_way_to_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let objects = Objects::in_directory(directory.path().to_owned()).await.unwrap();
    let store = SnapshotStore::new(objects, 2);
    store.put("p", 1, b"one").await.unwrap();
    store.put("p", 2, b"two").await.unwrap();
    let slot = directory.path().join("p").join("1");
    let mut bytes = std::fs::read(&slot).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&slot, &bytes).unwrap();
    let latest = store.latest("p").await.unwrap().unwrap();
    assert_eq!((latest.position, latest.state.as_ref()), (1, b"one".as_slice()));
    // Cut off in the middle.
    std::fs::write(&slot, &bytes[..5]).unwrap();
    assert_eq!(store.latest("p").await.unwrap().unwrap().position, 1);
    store.put("p", 3, b"three").await.unwrap();
    assert_eq!(store.latest("p").await.unwrap().unwrap().position, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn media_come_back_as_they_went_in() {
    let (nats, directory) = (nats().await, tempfile::tempdir().unwrap());
    for objects in places(&nats, &directory, "HG_MEDIA").await {
        let store = MediaStore::new(objects);
        let content: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
        let limit = content.len() as u64;
        let put =
            store.put("acme", "med_1", "image/png", "größe \"1\".png", &mut content.as_slice(), limit).await;
        let info = put.unwrap();
        assert_eq!((info.size, info.content_type.as_str()), (limit, "image/png"));
        let (found, mut reader) = store.get("acme", "med_1").await.unwrap().unwrap();
        assert_eq!(found, info);
        assert_eq!(found.name, "größe \"1\".png");
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, content);
        assert_eq!(store.info("acme", "med_1").await.unwrap(), Some(info));
        // Ids of providers are any string.
        store.put("acme", "../../etc/passwd", "text/plain", "", &mut b"x".as_slice(), 1).await.unwrap();
        assert_eq!(store.info("acme", "../../etc/passwd").await.unwrap().unwrap().size, 1);

        // Why another will never be had stands in its place, until it is there after all.
        let refusal = Refusal { code: "too_large".to_owned(), reason: "größer als".to_owned() };
        store.refuse("acme", "med_2", &refusal).await.unwrap();
        assert_eq!(store.look("acme", "med_2").await.unwrap(), Some(Medium::Refused(refusal)));
        assert!(store.get("acme", "med_2").await.unwrap().is_none());
        store.put("acme", "med_2", "text/plain", "", &mut b"x".as_slice(), 1).await.unwrap();
        assert!(matches!(store.look("acme", "med_2").await.unwrap(), Some(Medium::Here(_))));

        assert!(store.get("acme2", "med_1").await.unwrap().is_none());
        let hostile = store.get("../acme", "med_1").await.map(|_| ());
        assert!(matches!(hostile, Err(ObjectError::InvalidName(_))), "{hostile:?}");
        assert!(store.delete("acme", "med_1").await.unwrap());
        assert!(!store.delete("acme", "med_1").await.unwrap());
        assert!(store.get("acme", "med_1").await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_leaves_nothing_behind() {
    let (nats, directory) = (nats().await, tempfile::tempdir().unwrap());
    for objects in places(&nats, &directory, "HG_MEDIA").await {
        let store = MediaStore::new(objects);
        let content = vec![7; 300_001];
        let refused = store.put("acme", "med_1", "a/b", "", &mut content.as_slice(), 300_000).await;
        assert!(matches!(refused, Err(ObjectError::TooLarge { limit: 300_000 })), "{refused:?}");
        assert!(store.info("acme", "med_1").await.unwrap().is_none());
    }
    let left: Vec<_> = std::fs::read_dir(directory.path().join("HG_MEDIA").join("acme")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let mut stream = nats.context.get_stream("OBJ_HG_MEDIA").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 0);
}
