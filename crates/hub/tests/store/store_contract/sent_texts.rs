//! What a store keeps of texts that were handed in to be sent outside.
use hearthline_hub::message::{ClientId, SentText};

use super::*;

pub(super) async fn a_text_is_begun_once_and_remembered_for_as_long_as_a_message(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let anna = Party::Person(hearthline_hub::id::PersonId::random().unwrap());
    let speaker = Party::Device(DeviceId::random().unwrap());
    let own = |text: &str| ClientId::try_from(text.to_owned()).unwrap();
    let (one, two) = (own("one"), own("two"));
    let digest = Fingerprint::of(b"+12025550123 Hello");
    let begin = async |from, id: &ClientId, at| {
        let begun = store.begin_text(from, id, &digest, at).await;
        begun.unwrap()
    };
    assert_eq!(begin(anna, &one, NOW).await, None);
    let known = |state| Some((digest, state));
    // Whoever died while it was under way finds it so.
    assert_eq!(begin(anna, &one, NOW).await, known(SentText::Sending));
    let sent = Some(SentText::Sent);
    store.end_text(anna, &one, sent).await.unwrap();
    assert_eq!(begin(anna, &one, NOW).await, known(SentText::Sent));
    // Each sender has names of its own, and what was not sent is new again.
    assert_eq!(begin(speaker, &one, NOW).await, None);
    store.end_text(speaker, &one, None).await.unwrap();
    assert_eq!(begin(speaker, &one, NOW).await, None);
    let unsure = Some(SentText::Unsure);
    store.end_text(speaker, &one, unsure).await.unwrap();
    assert_eq!(begin(speaker, &one, NOW).await, known(SentText::Unsure));
    assert_eq!(begin(anna, &two, NOW.plus_ms(1)).await, None);

    store
        .sweep(NOW.plus_ms(REMEMBERED_MS - 1), NOW)
        .await
        .unwrap();
    assert_eq!(begin(anna, &one, NOW).await, known(SentText::Sent));
    store.sweep(NOW.plus_ms(REMEMBERED_MS), NOW).await.unwrap();
    let later = NOW.plus_ms(REMEMBERED_MS);
    assert_eq!(begin(anna, &one, later).await, None, "forgotten");
    assert_eq!(begin(anna, &two, later).await, known(SentText::Sending));
}
