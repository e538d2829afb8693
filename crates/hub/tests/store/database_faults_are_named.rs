//! Old, new, damaged, foreign, locked, full and read-only databases: each gives an error that says what to do, and
//! nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use hearthline_hub::bus::LocalBus;
use hearthline_hub::clock::UnixMs;
use hearthline_hub::store::{
    Incidents as _, Messages as _, Rooms as _, SqliteConfig, SqliteStore, StoreError,
};
use hearthline_hub::{Hub, HubConfig, HubError};
use sqlx_core::connection::{ConnectOptions as _, Connection as _};
use sqlx_core::query::query;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::row::Row as _;
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection};

const NOW: UnixMs = UnixMs(1_800_000_000_000);

async fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&SqliteConfig::new(folder), Arc::new(LocalBus::default())).await
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

async fn add_room(store: &SqliteStore, name: &str) -> Result<(), StoreError> {
    let fields = serde_json::from_value(serde_json::json!({"name": name})).unwrap();
    store.add_room(&fields, NOW).await.map(drop)
}

async fn room_names(store: &SqliteStore) -> Vec<String> {
    let rooms = store.rooms().await.unwrap();
    rooms
        .iter()
        .map(|room| room.fields.name.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn an_older_database_is_backed_up_and_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.sqlite");
    // As version 1 of the program left it.
    let mut old = raw(&path).await;
    raw_sql(include_str!("../../migrations/0001_home.sql"))
        .execute(&mut old)
        .await
        .unwrap();
    raw_sql(
        "INSERT INTO rooms VALUES ('0123456789abcdefghjkmnpqrs', 'Kitchen');
         INSERT INTO messages (id, sequence, sender, client_id, body_sha256, text, sent_at, expires_at)
         VALUES ('0123456789abcdefghjkmnpqrs', 1, 'person:0123456789abcdefghjkmnpqrs', 'a', x'00', 'hi', 1, 2);
         INSERT INTO devices VALUES ('0123456789abcdefghjkmnpqrs', 'speaker', 'Hall', NULL, NULL, 'key', 1, NULL);
         INSERT INTO incidents VALUES ('0123456789abcdefghjkmnpqrs', '0123456789abcdefghjkmnpqrs', 3, 1, 1, 'open', 5,
                                       '0000000000000000000000000000000000000000000000000000000000000000', 2);
         PRAGMA application_id = 1213355080; PRAGMA user_version = 1",
    )
    .execute(&mut old)
    .await
    .unwrap();
    old.close().await.unwrap();
    let store = open(folder.path()).await.unwrap();
    assert_eq!(room_names(&store).await, ["Kitchen"]);
    let message = "0123456789abcdefghjkmnpqrs".parse().unwrap();
    assert!(
        store.deliveries(message).await.is_ok(),
        "old messages are there"
    );
    let incidents = store.incidents(10).await.unwrap();
    let device = incidents[0].device.map(|id| id.to_string());
    assert_eq!(
        (incidents.len(), device.as_deref()),
        (1, Some("0123456789abcdefghjkmnpqrs"))
    );
    store.close().await;
    let mut upgraded = raw(&path).await;
    let version = query("PRAGMA user_version")
        .fetch_one(&mut upgraded)
        .await
        .unwrap();
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    assert_eq!(
        version.get::<i64, _>(0),
        i64::try_from(migrations.count()).unwrap()
    );
    for change in ["DELETE FROM incidents", "UPDATE incidents SET entries = 6"] {
        let refused = raw_sql(change).execute(&mut upgraded).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    query("SELECT * FROM bindings")
        .fetch_all(&mut upgraded)
        .await
        .unwrap();
    // The backup is whole, still old, and for the owner's eyes only.
    let backup = folder.path().join("hub.before-upgrade-1.sqlite");
    assert_eq!(
        fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut backup = raw(&backup).await;
    let version = query("PRAGMA user_version")
        .fetch_one(&mut backup)
        .await
        .unwrap();
    assert_eq!(version.get::<i64, _>(0), 1);
    let name = query("SELECT name FROM rooms")
        .fetch_one(&mut backup)
        .await
        .unwrap();
    assert_eq!(name.get::<String, _>(0), "Kitchen");
}

#[tokio::test]
async fn a_newer_database_and_a_foreign_one_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.sqlite");
    open(folder.path()).await.unwrap().close().await;
    let mut newer = raw(&path).await;
    raw_sql("PRAGMA user_version = 99")
        .execute(&mut newer)
        .await
        .unwrap();
    newer.close().await.unwrap();
    let refused = open(folder.path()).await.err().unwrap();
    assert!(
        matches!(refused, StoreError::TooNew { found: 99, .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("newer hearth"), "{refused}");

    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("hub.sqlite");
    let mut foreign = raw(&path).await;
    raw_sql("CREATE TABLE photos (id INTEGER)")
        .execute(&mut foreign)
        .await
        .unwrap();
    foreign.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    let refused = open(elsewhere.path()).await.err().unwrap();
    assert!(matches!(refused, StoreError::NotOurs(_)), "{refused:?}");
    let mut foreign = raw(&path).await;
    query("SELECT * FROM photos")
        .fetch_all(&mut foreign)
        .await
        .unwrap();
    foreign.close().await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "not a byte was changed");
}

#[tokio::test]
async fn a_damaged_database_is_left_as_it_is_and_the_backup_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.sqlite");
    let store = open(folder.path()).await.unwrap();
    for n in 0..200 {
        add_room(&store, &format!("room {n}")).await.unwrap();
    }
    let backup = store.back_up().await.unwrap();
    store.close().await;
    let mut bytes = fs::read(&path).unwrap();
    let (start, end) = (bytes.len() / 3, bytes.len() / 3 * 2);
    bytes[start..end].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let refused = open(folder.path()).await.err().unwrap();
    let StoreError::Corrupt {
        backup: Some(named),
        ..
    } = &refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(*named, backup);
    assert!(
        refused.to_string().contains("hub.backup.sqlite"),
        "{refused}"
    );
    assert_eq!(fs::read(&path).unwrap(), bytes, "left as it is");
    // Not even an SQLite file any more.
    fs::write(
        &path,
        b"this is no database at all, but it is long enough to be looked at",
    )
    .unwrap();
    let refused = open(folder.path()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused:?}");
    // What the error says works.
    fs::copy(&backup, &path).unwrap();
    let _ = fs::remove_file(folder.path().join("hub.sqlite-wal"));
    let _ = fs::remove_file(folder.path().join("hub.sqlite-shm"));
    let store = open(folder.path()).await.unwrap();
    assert_eq!(room_names(&store).await.len(), 200);
}

#[tokio::test]
async fn two_hubs_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Hub::start(HubConfig::new(folder.path())).await.unwrap();
    let second = Hub::start(HubConfig::new(folder.path()))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(second, HubError::Store(StoreError::Locked)),
        "{second:?}"
    );
    assert!(second.to_string().contains("another process"), "{second}");
    first.stop().await;
    Hub::start(HubConfig::new(folder.path()))
        .await
        .unwrap()
        .stop()
        .await;
}

#[tokio::test]
async fn a_full_database_says_so_and_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = SqliteConfig::new(folder.path());
    config.bytes_max = Some(400 * 1024);
    let bus = Arc::new(LocalBus::default());
    let store = SqliteStore::open(&config, bus.clone()).await.unwrap();
    let mut kept = 0;
    let refused = loop {
        match add_room(&store, &format!("room {kept} {}", "x".repeat(100))).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 10_000, "the limit was never met");
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    assert!(refused.is_passing());
    assert_eq!(
        room_names(&store).await.len(),
        kept,
        "what was answered with Ok is there, and reading goes on"
    );
    // The same connection goes on as soon as there is space.
    let mut other = raw(&config.database()).await;
    raw_sql("DELETE FROM events")
        .execute(&mut other)
        .await
        .unwrap();
    add_room(&store, "at once").await.unwrap();
    kept += 1;
    store.close().await;
    drop(store);
    config.bytes_max = None;
    let store = SqliteStore::open(&config, bus).await.unwrap();
    add_room(&store, "after").await.unwrap();
    assert_eq!(room_names(&store).await.len(), kept + 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be fails for every user, root too.
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let refused = open(&file.join("data")).await.err().unwrap();
    assert!(matches!(refused, StoreError::File { .. }), "{refused:?}");
    assert!(refused.to_string().contains("file"), "{refused}");

    let data = folder.path().join("data");
    open(&data).await.unwrap().close().await;
    let path = data.join("hub.sqlite");
    for file in fs::read_dir(&data).unwrap().flatten() {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o400)).unwrap();
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let outcome = open(&data).await;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    match outcome {
        // Root may write everything; then there is nothing to see.
        Ok(store) => {
            println!("skipped: this user may write read-only files");
            store.close().await;
        }
        Err(error) => assert!(
            matches!(error, StoreError::ReadOnly | StoreError::File { .. }),
            "{error:?}"
        ),
    }
    assert!(path.exists());
}

/// Read-only as SQLite says it (code 8), for every user.
#[tokio::test]
async fn the_code_of_a_read_only_database_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.unwrap().close().await;
    let mut connection = raw(&folder.path().join("hub.sqlite")).await;
    raw_sql("PRAGMA query_only = ON")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = query("DELETE FROM rooms")
        .execute(&mut connection)
        .await
        .unwrap_err();
    let error = StoreError::from(error);
    assert!(matches!(error, StoreError::ReadOnly), "{error:?}");
}

#[tokio::test]
async fn a_home_whose_authority_is_gone_does_not_make_another() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(HubConfig::new(folder.path())).await.unwrap();
    let fields = serde_json::from_value(serde_json::json!({"name": "Kitchen"})).unwrap();
    let invited = hub
        .invite(hearthline_hub::device::DeviceKind::Speaker, fields)
        .await
        .unwrap();
    hearthline_hub::join::join(hub.addresses()[0], &invited.code, None)
        .await
        .unwrap();
    hub.stop().await;
    fs::remove_file(folder.path().join("authority.pem")).unwrap();
    let refused = Hub::start(HubConfig::new(folder.path()))
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("restore it from a backup"),
        "{refused}"
    );
    assert!(!folder.path().join("authority.pem").exists());
}

#[tokio::test]
async fn nothing_listens_beyond_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = HubConfig::new(folder.path());
    config.https = vec!["0.0.0.0:0".parse().unwrap()];
    let refused = Hub::start(config.clone()).await.err().unwrap();
    assert!(matches!(refused, HubError::Reach { .. }), "{refused:?}");
    config.https.clear();
    assert!(matches!(Hub::start(config).await, Err(HubError::NoAddress)));
}
