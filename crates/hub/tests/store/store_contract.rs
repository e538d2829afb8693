//! What any [`Store`] must keep. SQLite runs it here; another implementation adds one call of each function.

use std::sync::Arc;

use hearthline_hub::binding::Binding;
use hearthline_hub::bus::{Bus, LocalBus};
use hearthline_hub::call::{Call, CallState, Direction, Ending, OutsideEnd};
use hearthline_hub::clock::UnixMs;
use hearthline_hub::contact::ContactFields;
use hearthline_hub::device::{
    Device, DeviceFields, DeviceKind, Fingerprint, IssuedCertificate, NewDevice,
};
use hearthline_hub::event::{EventKind, StreamId};
use hearthline_hub::feed::Feed;
use hearthline_hub::id::{CallId, ContactId, DeviceId, LineId};
use hearthline_hub::incident::{IncidentReport, IncidentSource};
use hearthline_hub::invitation::{InvitationKey, NewInvitation, OPEN_MAX};
use hearthline_hub::line::{LineFields, LineHealth, LineTrouble};
use hearthline_hub::message::{
    DeliveryState, MessageBody, MessageText, NewMessage, REMEMBERED_MS, Recipients,
};
use hearthline_hub::outside_sender::OutsideSender;
use hearthline_hub::person::{Party, Person, PersonFields, Role};
use hearthline_hub::room::RoomFields;
use hearthline_hub::session::{Token, TokenKind};
use hearthline_hub::store::{SqliteConfig, SqliteStore, Store, StoreError};
use serde_json::json;

mod address_books;
mod agendas;
mod bindings;
mod bundles;
mod calls;
mod half_hours;
mod light_orders;
mod messages;
mod sent_texts;
mod wishes;
use address_books::{
    a_book_is_known_by_what_was_read_last, what_changes_or_goes_on_the_server_changes_or_goes_here,
};
use agendas::{
    a_copy_goes_forward_only_and_is_replaced_by_name, a_speaker_of_the_same_name_gets_it_once,
};
use bindings::{binding, bindings_are_refreshed_in_order_only, many_bindings_are_put_at_once};
use bundles::a_bundle_is_kept_once_beside_its_report;
use calls::{calls_between_outside_parties_name_both, calls_that_ended_stay_ended};
use half_hours::a_lines_day_is_kept_by_half_hours_and_no_longer;
use light_orders::{
    a_light_order_is_told_once_answered_once_and_soon_too_old,
    light_orders_are_bounded_and_only_for_speakers_that_stand,
};
use messages::{
    a_message_is_stored_once_and_delivered_in_order, messages_expire, receipts_only_go_forward,
    ten_thousand_messages_wait_a_month_and_are_read_once, what_no_mailbox_holds_is_dropped,
    whose_words_a_message_passes_on_is_kept,
};
use sent_texts::a_text_is_begun_once_and_remembered_for_as_long_as_a_message;
use wishes::{
    wishes_end_with_their_person_and_are_nobody_elses,
    wishes_of_people_and_devices_are_kept_apart_and_replaced_whole,
};

const NOW: UnixMs = UnixMs(1_800_000_000_000);

/// A fresh, empty store and the bus on which it announces.
struct Fresh {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    _folder: tempfile::TempDir,
}

async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let bus: Arc<dyn Bus> = Arc::new(LocalBus::default());
    let store = SqliteStore::open(&SqliteConfig::new(folder.path()), bus.clone())
        .await
        .unwrap();
    Fresh {
        store: Arc::new(store),
        bus,
        _folder: folder,
    }
}

macro_rules! contract {
    ($($name:ident)+) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::sqlite().await).await;
            }
        )+ }
    };
}

contract! {
    a_lines_day_is_kept_by_half_hours_and_no_longer
    each_change_is_an_event_without_gaps
    many_writers_leave_no_reader_behind
    the_last_owner_stays
    sessions_end_with_their_person_or_password
    an_invitation_makes_one_device
    revoked_devices_keep_nothing
    sessions_end_with_the_device_they_were_opened_on
    a_removed_persons_devices_are_revoked
    rooms_have_one_name
    contacts_read_back_whole
    lines_come_in_order
    bindings_are_refreshed_in_order_only
    many_bindings_are_put_at_once
    calls_that_ended_stay_ended
    calls_between_outside_parties_name_both
    a_message_is_stored_once_and_delivered_in_order
    receipts_only_go_forward
    messages_expire
    ten_thousand_messages_wait_a_month_and_are_read_once
    what_no_mailbox_holds_is_dropped
    whose_words_a_message_passes_on_is_kept
    a_text_is_begun_once_and_remembered_for_as_long_as_a_message
    wishes_of_people_and_devices_are_kept_apart_and_replaced_whole
    wishes_end_with_their_person_and_are_nobody_elses
    a_book_is_known_by_what_was_read_last
    what_changes_or_goes_on_the_server_changes_or_goes_here
    a_copy_goes_forward_only_and_is_replaced_by_name
    a_speaker_of_the_same_name_gets_it_once
    a_light_order_is_told_once_answered_once_and_soon_too_old
    light_orders_are_bounded_and_only_for_speakers_that_stand
    incidents_are_only_added
    a_bundle_is_kept_once_beside_its_report
    old_events_are_dropped_from_the_front
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

async fn person(store: &dyn Store, name: &str, role: Role) -> Person {
    let fields: PersonFields = read(json!({"name": name, "role": role, "login": name}));
    store.add_person(&fields, NOW).await.unwrap()
}

async fn device(store: &dyn Store, name: &str) -> Device {
    let fields: DeviceFields = read(json!({"name": name}));
    let ca = Fingerprint::of(b"CA");
    let code = hearthline_hub::invitation::Code::random().unwrap();
    let new = NewInvitation {
        key: InvitationKey::derive(&code, &ca),
        kind: DeviceKind::Speaker,
        fields: fields.clone(),
        expires_at: NOW.plus_ms(1_000),
    };
    let invitation = store.invite(&new, NOW).await.unwrap();
    store
        .accept_invitation(invitation.id, &new_device(name, fields), NOW)
        .await
        .unwrap()
}

fn new_device(name: &str, fields: DeviceFields) -> NewDevice {
    NewDevice {
        id: DeviceId::random().unwrap(),
        kind: DeviceKind::Speaker,
        fields,
        key_fingerprint: Fingerprint::of(format!("key of {name}").as_bytes()),
        certificate: IssuedCertificate {
            fingerprint: Fingerprint::of(format!("certificate of {name}").as_bytes()),
            not_after: NOW.plus_ms(1_000_000),
        },
    }
}

fn text(client_id: &str, from: Party, to: Recipients) -> NewMessage {
    NewMessage {
        client_id: read(json!(client_id)),
        from,
        to,
        body: MessageBody::Text(read(json!(format!("text of {client_id}")))),
        outside: None,
        announcement: false,
        reminder_due: None,
        expires_at: NOW.plus_ms(1_000_000),
    }
}

async fn each_change_is_an_event_without_gaps(fresh: Fresh) {
    let store = fresh.store.as_ref();
    assert_eq!(
        store.event_range().await.unwrap(),
        (StreamId(0), StreamId(0))
    );
    let anna = person(store, "anna", Role::Owner).await;
    let room = store
        .add_room(&read(json!({"name": "Kitchen"})), NOW)
        .await
        .unwrap();
    // What is refused leaves no event.
    let again = store
        .add_room(&read::<RoomFields>(json!({"name": "kitchen"})), NOW)
        .await;
    assert!(
        matches!(again, Err(StoreError::Taken { field: "name", .. })),
        "{again:?}"
    );
    store.remove_room(room.id, NOW).await.unwrap();
    let events = store.events_after(StreamId(0), 100).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.stream_id.0, event.kind, event.subject.clone()))
        .collect();
    assert_eq!(
        told,
        [
            (1, EventKind::People, anna.id.to_string()),
            (2, EventKind::Rooms, room.id.to_string()),
            (3, EventKind::Rooms, room.id.to_string()),
        ]
    );
    assert_eq!(store.events_after(StreamId(1), 1).await.unwrap().len(), 1);
    assert_eq!(
        store.event_range().await.unwrap(),
        (StreamId(1), StreamId(3))
    );
}

async fn many_writers_leave_no_reader_behind(fresh: Fresh) {
    const WRITERS: i64 = 8;
    const EACH: i64 = 25;
    let mut feed = Feed::new(fresh.store.clone(), fresh.bus.as_ref(), StreamId(0));
    let reader = tokio::spawn(async move {
        let mut places = Vec::new();
        while places.len() < usize::try_from(WRITERS * EACH).unwrap() {
            places.extend(
                feed.next()
                    .await
                    .unwrap()
                    .iter()
                    .map(|event| event.stream_id.0),
            );
        }
        places
    });
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let fields = read(json!({"name": format!("room {writer} {n}")}));
                    store.add_room(&fields, NOW).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(
        reader.await.unwrap(),
        (1..=WRITERS * EACH).collect::<Vec<_>>()
    );
}

async fn the_last_owner_stays(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = person(store, "anna", Role::Owner).await;
    let adult: PersonFields = read(json!({"name": "Anna", "role": "adult"}));
    let refused = store.change_person(anna.id, &adult, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let refused = store.remove_person(anna.id, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    person(store, "bert", Role::Owner).await;
    store.remove_person(anna.id, NOW).await.unwrap();
    let twice = store
        .add_person(
            &read(json!({"name": "B", "role": "adult", "login": "bert"})),
            NOW,
        )
        .await;
    assert!(
        matches!(twice, Err(StoreError::Taken { field: "login", .. })),
        "{twice:?}"
    );
}

async fn sessions_end_with_their_person_or_password(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = person(store, "anna", Role::Owner).await;
    let (one, two) = (Token::random().unwrap(), Token::random().unwrap());
    let until = NOW.plus_ms(1_000);
    store
        .open_session(anna.id, TokenKind::App, None, &one.hash(), NOW, until)
        .await
        .unwrap();
    let (session, who) = store.session(&one.hash(), NOW).await.unwrap().unwrap();
    assert_eq!((session.person, who.id), (anna.id, anna.id));
    assert_eq!(
        store.session(&one.hash(), until).await.unwrap(),
        None,
        "ended by time"
    );
    assert_eq!(store.session(&two.hash(), NOW).await.unwrap(), None);
    let password = hearthline_hub::session::PasswordHash::of_nobody();
    store.set_password(anna.id, &password, NOW).await.unwrap();
    assert_eq!(
        store.session(&one.hash(), NOW).await.unwrap(),
        None,
        "a new password ends all"
    );
    store
        .open_session(anna.id, TokenKind::App, None, &two.hash(), NOW, until)
        .await
        .unwrap();
    person(store, "bert", Role::Owner).await;
    store.remove_person(anna.id, NOW).await.unwrap();
    assert_eq!(store.session(&two.hash(), NOW).await.unwrap(), None);
    let events = store.events_after(StreamId(0), 100).await.unwrap();
    let ended = events
        .iter()
        .filter(|event| event.kind == EventKind::SessionEnded);
    assert_eq!(ended.count(), 2);
}

async fn an_invitation_makes_one_device(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let fields: DeviceFields = read(json!({"name": "Kitchen"}));
    let code = hearthline_hub::invitation::Code::random().unwrap();
    let new = NewInvitation {
        key: InvitationKey::derive(&code, &Fingerprint::of(b"CA")),
        kind: DeviceKind::Speaker,
        fields: fields.clone(),
        expires_at: NOW.plus_ms(1_000),
    };
    for _ in 0..OPEN_MAX {
        store.invite(&new, NOW).await.unwrap();
    }
    assert!(matches!(
        store.invite(&new, NOW).await,
        Err(StoreError::Limit { .. })
    ));
    let open = store.open_invitations(NOW).await.unwrap();
    let id = open[0].0.id;
    store
        .accept_invitation(id, &new_device("one", fields.clone()), NOW)
        .await
        .unwrap();
    let again = store
        .accept_invitation(id, &new_device("two", fields.clone()), NOW)
        .await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
    // The same key twice is refused, and the invitation is not used up by it.
    let twin = store
        .accept_invitation(open[1].0.id, &new_device("one", fields), NOW)
        .await;
    assert!(
        matches!(twin, Err(StoreError::Taken { field: "key", .. })),
        "{twin:?}"
    );
    assert_eq!(store.open_invitations(NOW).await.unwrap().len(), 3);
    assert_eq!(store.note_wrong_try(NOW).await.unwrap(), 0);
    store.withdraw_invitation(open[2].0.id, NOW).await.unwrap();
    for _ in 0..3 {
        assert_eq!(store.note_wrong_try(NOW).await.unwrap(), 0);
    }
    assert_eq!(store.note_wrong_try(NOW).await.unwrap(), 2);
    assert!(store.open_invitations(NOW).await.unwrap().is_empty());
    assert_eq!(store.devices().await.unwrap().len(), 1);
}

async fn revoked_devices_keep_nothing(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = device(store, "kitchen").await;
    let fingerprint = Fingerprint::of(b"certificate of kitchen");
    assert!(
        store
            .device_by_certificate(&fingerprint)
            .await
            .unwrap()
            .is_some()
    );
    store
        .put_binding(&binding(Some(kitchen.id), 1), NOW)
        .await
        .unwrap();
    store.revoke_device(kitchen.id, NOW).await.unwrap();
    store
        .revoke_device(kitchen.id, NOW.plus_ms(5))
        .await
        .unwrap();
    let (known, _) = store
        .device_by_certificate(&fingerprint)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        known.revoked_at_ms,
        Some(NOW),
        "known, and known to be revoked"
    );
    assert!(
        store
            .bindings("sip:anna@home.test", NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let issued = IssuedCertificate {
        fingerprint: Fingerprint::of(b"another"),
        not_after: NOW.plus_ms(1),
    };
    let renewed = store
        .add_certificate(kitchen.id, &Fingerprint::of(b"key"), &issued, NOW)
        .await;
    assert!(
        matches!(renewed, Err(StoreError::NotFound(_))),
        "{renewed:?}"
    );
}

async fn sessions_end_with_the_device_they_were_opened_on(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = person(store, "anna", Role::Owner).await;
    let phone = device(store, "phone").await.id;
    let (on_phone, elsewhere) = (Token::random().unwrap(), Token::random().unwrap());
    let until = NOW.plus_ms(1_000);
    let opened = store
        .open_session(
            anna.id,
            TokenKind::App,
            Some(phone),
            &on_phone.hash(),
            NOW,
            until,
        )
        .await
        .unwrap();
    store
        .open_session(anna.id, TokenKind::App, None, &elsewhere.hash(), NOW, until)
        .await
        .unwrap();
    let (session, _) = store.session(&on_phone.hash(), NOW).await.unwrap().unwrap();
    assert_eq!((session.device, &session), (Some(phone), &opened));
    store.revoke_device(phone, NOW).await.unwrap();
    assert_eq!(store.session(&on_phone.hash(), NOW).await.unwrap(), None);
    assert!(
        store
            .session(&elsewhere.hash(), NOW)
            .await
            .unwrap()
            .is_some()
    );
    let events = store.events_after(StreamId(0), 100).await.unwrap();
    let ended: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::SessionEnded)
        .map(|event| event.subject.clone())
        .collect();
    assert_eq!(ended, [opened.id.to_string()]);
    let late = store
        .open_session(
            anna.id,
            TokenKind::App,
            Some(phone),
            &on_phone.hash(),
            NOW,
            until,
        )
        .await;
    assert!(matches!(late, Err(StoreError::NotFound(_))), "{late:?}");
}

async fn a_removed_persons_devices_are_revoked(fresh: Fresh) {
    let store = fresh.store.as_ref();
    person(store, "anna", Role::Owner).await;
    let chris = person(store, "chris", Role::Child).await;
    let (phone, kitchen) = (
        device(store, "phone").await.id,
        device(store, "kitchen").await.id,
    );
    let fields: DeviceFields = read(json!({"name": "phone", "person": chris.id}));
    store.change_device(phone, &fields, NOW).await.unwrap();
    store.remove_person(chris.id, NOW.plus_ms(5)).await.unwrap();
    let revoked = store.device(phone).await.unwrap().revoked_at_ms;
    assert_eq!(revoked, Some(NOW.plus_ms(5)));
    assert_eq!(store.device(kitchen).await.unwrap().revoked_at_ms, None);
    let events = store.events_after(StreamId(0), 100).await.unwrap();
    let told = events
        .iter()
        .filter(|event| event.kind == EventKind::DeviceRevoked);
    assert_eq!(
        told.map(|event| event.subject.clone()).collect::<Vec<_>>(),
        [phone.to_string()]
    );
}

async fn rooms_have_one_name(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = store
        .add_room(&read(json!({"name": "Kitchen"})), NOW)
        .await
        .unwrap();
    let hall = store
        .add_room(&read(json!({"name": "Hall"})), NOW)
        .await
        .unwrap();
    let speaker = device(store, "speaker").await;
    let fields: DeviceFields = read(json!({"name": "Speaker", "room": kitchen.id}));
    store.change_device(speaker.id, &fields, NOW).await.unwrap();
    let taken = store
        .change_room(hall.id, &read(json!({"name": "KITCHEN"})), NOW)
        .await;
    assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    store.remove_room(kitchen.id, NOW).await.unwrap();
    assert_eq!(store.device(speaker.id).await.unwrap().fields.room, None);
    let gone: DeviceFields = read(json!({"name": "Speaker", "room": kitchen.id}));
    let dangling = store.change_device(speaker.id, &gone, NOW).await;
    assert!(
        matches!(dangling, Err(StoreError::Dangling)),
        "{dangling:?}"
    );
}

async fn contacts_read_back_whole(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let fields: ContactFields = read(json!({
        "name": "Anna", "speed_dial": 2, "drop_in": true, "screening": "screen", "children_may_call": true,
        "numbers": [{"label": "mobile", "number": "+1 202 555 0123"}, {"label": "home", "number": "+12025550124"}],
    }));
    let anna = store.add_contact(&fields, NOW).await.unwrap();
    let bert = store
        .add_contact(&read(json!({"name": "Bert", "numbers": []})), NOW)
        .await
        .unwrap();
    assert_eq!(store.contact(anna.id).await.unwrap().fields, fields);
    assert_eq!(
        store.contacts().await.unwrap(),
        [anna.clone(), bert.clone()]
    );
    let taken: ContactFields = read(json!({"name": "Bert", "numbers": [], "speed_dial": 2}));
    let taken = store.change_contact(bert.id, &taken, NOW).await;
    assert!(
        matches!(
            taken,
            Err(StoreError::Taken {
                field: "speed_dial",
                ..
            })
        ),
        "{taken:?}"
    );
    let fewer: ContactFields =
        read(json!({"name": "Anna", "numbers": [{"label": "x", "number": "+12025550125"}]}));
    store.change_contact(anna.id, &fewer, NOW).await.unwrap();
    assert_eq!(store.contact(anna.id).await.unwrap().fields, fewer);
    store.remove_contact(anna.id, NOW).await.unwrap();
    assert!(matches!(
        store.contact(anna.id).await,
        Err(StoreError::NotFound("contact"))
    ));
}

async fn lines_come_in_order(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let line = |name: &str, position: u8| -> LineFields {
        read(json!({"name": name, "kind": "sip_trunk", "position": position, "enabled": true}))
    };
    let second = store.add_line(&line("second", 2), NOW).await.unwrap();
    let first = store.add_line(&line("first", 1), NOW).await.unwrap();
    let order = |lines: Vec<hearthline_hub::line::Line>| {
        lines.into_iter().map(|line| line.id).collect::<Vec<_>>()
    };
    assert_eq!(order(store.lines().await.unwrap()), [first.id, second.id]);
    store
        .change_line(second.id, &line("second", 0), NOW)
        .await
        .unwrap();
    assert_eq!(order(store.lines().await.unwrap()), [second.id, first.id]);
    store
        .note_line_health(first.id, LineHealth::Down, Some(LineTrouble::Silent), NOW)
        .await
        .unwrap();
    let refused = Some(LineTrouble::AccountRefused);
    store
        .note_line_health(first.id, LineHealth::Down, refused, NOW.plus_ms(9))
        .await
        .unwrap();
    let lines = store.lines().await.unwrap();
    assert_eq!(
        (lines[1].health, lines[1].health_since_ms, lines[1].trouble),
        (LineHealth::Down, Some(NOW), refused)
    );
    store
        .note_line_health(first.id, LineHealth::Up, None, NOW.plus_ms(10))
        .await
        .unwrap();
    let lines = store.lines().await.unwrap();
    assert_eq!(
        (lines[1].health_since_ms, lines[1].trouble),
        (Some(NOW.plus_ms(10)), None)
    );
    let full: LineFields = read(json!({
        "name": "full", "kind": "landline", "position": 7, "enabled": false,
        "caller_number": "+493012345678", "forward_to": "+12025550123",
        "sip": {"server": "sip:127.0.0.1:5080;transport=tcp", "username": "anna", "register": true, "drill": "number"},
        "unknown_callers": "busy",
        "ring_rooms": [hearthline_hub::id::RoomId::random().unwrap().to_string()],
        "ring_devices": [DeviceId::random().unwrap().to_string(), DeviceId::random().unwrap().to_string()]
    }));
    let added = store.add_line(&full, NOW).await.unwrap();
    let lines = store.lines().await.unwrap();
    assert_eq!(lines.last(), Some(&added));
    store.remove_line(added.id, NOW).await.unwrap();
    store.remove_line(first.id, NOW).await.unwrap();
    assert_eq!(store.lines().await.unwrap().len(), 1);
}

async fn incidents_are_only_added(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let kitchen = device(store, "kitchen").await.id;
    let source = IncidentSource::Device(kitchen);
    let report: IncidentReport = read(json!({
        "number": 1, "opened_at_ms": NOW, "drill": true, "outcome": "open", "entries": 5,
        "bundle_sha256": Fingerprint::of(b"bundle"),
    }));
    let id = store.report_incident(source, &report, NOW).await.unwrap();
    assert_eq!(
        store.report_incident(source, &report, NOW).await.unwrap(),
        id,
        "again changes nothing"
    );
    let changed = IncidentReport {
        bundle_sha256: Fingerprint::of(b"other"),
        ..report.clone()
    };
    let refused = store.report_incident(source, &changed, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let longer = IncidentReport {
        entries: 6,
        ..changed
    };
    store
        .report_incident(source, &longer, NOW.plus_ms(1))
        .await
        .unwrap();
    let all = store.incidents(10).await.unwrap();
    assert_eq!(
        all.iter()
            .map(|incident| incident.report.entries)
            .collect::<Vec<_>>(),
        [6, 5]
    );
    assert!(
        all.iter()
            .all(|own| own.device == Some(kitchen) && own.call.is_none())
    );
    // Telephones that nothing proves to be one of the home's: each call is an incident of its own, in the same second.
    for claimed in [None, Some(kitchen)] {
        let source = IncidentSource::Telephone {
            call: CallId::random().unwrap(),
            device: None,
            claimed,
        };
        let id = store.report_incident(source, &report, NOW).await.unwrap();
        let again = store.report_incident(source, &report, NOW).await;
        assert_eq!(again.unwrap(), id);
        let refused = store
            .report_incident(
                source,
                &IncidentReport {
                    drill: false,
                    ..report.clone()
                },
                NOW,
            )
            .await;
        assert!(matches!(refused, Err(StoreError::Refused(_))));
        let all = store.incidents(10).await.unwrap();
        let own = all.iter().find(|incident| incident.id == id).unwrap();
        assert_eq!((own.device, own.claimed_device), (None, claimed));
        assert!(own.call.is_some());
    }
}

async fn old_events_are_dropped_from_the_front(fresh: Fresh) {
    let store = fresh.store.as_ref();
    for (n, at) in [0, 100, 50, 200].into_iter().enumerate() {
        let fields: RoomFields = read(json!({"name": format!("room {n}")}));
        store.add_room(&fields, NOW.plus_ms(at)).await.unwrap();
    }
    store.sweep(NOW, NOW.plus_ms(60)).await.unwrap();
    // The third is older by its clock, but behind the second, which stays.
    assert_eq!(
        store.event_range().await.unwrap(),
        (StreamId(2), StreamId(4))
    );
    assert_eq!(store.events_after(StreamId(0), 9).await.unwrap().len(), 3);
    store.sweep(NOW, NOW.plus_ms(1_000)).await.unwrap();
    assert_eq!(
        store.event_range().await.unwrap(),
        (StreamId(5), StreamId(4))
    );
}
