//! What a tab is told, numbered, so that a page that comes back misses nothing and gets nothing twice.
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

/// News kept for a page that comes back.
const KEPT_MAX: usize = 500;

/// One piece of news.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// What it takes the place of: only the newest of one kind is kept.
    kind: Option<&'static str>,
    pub(super) json: String,
}

/// The news of one tab.
#[derive(Debug)]
pub(super) struct Journal {
    inner: Mutex<Inner>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    entries: VecDeque<Entry>,
    last: u64,
    /// Pages that follow now; the newest alone is told.
    reader: u64,
    readers: usize,
    /// When the last page left.
    alone_since: Instant,
    over: bool,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                entries: VecDeque::new(),
                last: 0,
                reader: 0,
                readers: 0,
                alone_since: Instant::now(),
                over: false,
            }),
            newest: watch::Sender::new(0),
        }
    }

    /// Tells the page.
    pub(super) fn tell(&self, news: &Value) {
        self.enter(None, news);
    }

    /// Tells the page what is so from now on: it takes the place of what was told of the same kind.
    pub(super) fn tell_state(&self, kind: &'static str, news: &Value) {
        self.enter(Some(kind), news);
    }

    fn enter(&self, kind: Option<&'static str>, news: &Value) {
        let mut inner = self.lock();
        if kind.is_some() {
            inner.entries.retain(|entry| entry.kind != kind);
        }
        inner.last += 1;
        let entry = Entry {
            id: inner.last,
            kind,
            json: news.to_string(),
        };
        inner.entries.push_back(entry);
        if inner.entries.len() > KEPT_MAX {
            inner.entries.pop_front();
        }
        let last = inner.last;
        drop(inner);
        self.newest.send_replace(last);
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        self.lock().over = true;
        self.newest.send_modify(|_| {});
    }

    /// Whether nothing follows.
    pub(super) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// For how long nobody has followed.
    pub(super) fn alone_for(&self) -> Duration {
        let inner = self.lock();
        if inner.readers > 0 {
            Duration::ZERO
        } else {
            inner.alone_since.elapsed()
        }
    }

    /// A page follows from here on; one that followed before is another tab of the same device, and is told so.
    pub(super) fn follow(self: &std::sync::Arc<Self>) -> Reader {
        let mut inner = self.lock();
        inner.reader += 1;
        inner.readers += 1;
        let number = inner.reader;
        drop(inner);
        self.newest.send_modify(|_| {});
        Reader {
            number,
            changes: self.newest.subscribe(),
            journal: std::sync::Arc::clone(self),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page that follows.
#[derive(Debug)]
pub(super) struct Reader {
    number: u64,
    changes: watch::Receiver<u64>,
    journal: std::sync::Arc<Journal>,
}

/// What there is for a reader.
#[derive(Debug)]
pub(super) enum Next {
    /// News, in order; perhaps none.
    News(Vec<Entry>),
    /// Another page follows now.
    Replaced,
    /// The device is gone.
    Over,
}

impl Reader {
    /// What came behind `after`; waits for something to come.
    pub(super) async fn next(&mut self, after: u64) -> Next {
        loop {
            self.changes.mark_unchanged();
            {
                let inner = self.journal.lock();
                if inner.reader != self.number {
                    return Next::Replaced;
                }
                let news: Vec<Entry> = inner
                    .entries
                    .iter()
                    .filter(|entry| entry.id > after)
                    .cloned()
                    .collect();
                if !news.is_empty() {
                    return Next::News(news);
                }
                if inner.over {
                    return Next::Over;
                }
            }
            if self.changes.changed().await.is_err() {
                return Next::Over;
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut inner = self.journal.lock();
        inner.readers -= 1;
        inner.alone_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn ids(next: Next) -> Vec<u64> {
        match next {
            Next::News(news) => news.iter().map(|entry| entry.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_page_that_comes_back_misses_nothing_and_gets_nothing_twice() {
        let journal = Arc::new(Journal::new());
        let mut first = journal.follow();
        journal.tell(&json!({"a": 1}));
        journal.tell(&json!({"a": 2}));
        assert_eq!(ids(first.next(0).await), [1, 2]);
        drop(first);
        journal.tell(&json!({"a": 3}));
        let mut again = journal.follow();
        assert_eq!(ids(again.next(2).await), [3]);
        assert_eq!(journal.alone_for(), Duration::ZERO);
        for number in 0..2 * KEPT_MAX {
            journal.tell(&json!({ "a": number }));
        }
        assert_eq!(ids(again.next(3).await).len(), KEPT_MAX, "bounded");
    }

    #[tokio::test]
    async fn of_what_changes_only_the_last_is_kept() {
        let journal = Arc::new(Journal::new());
        let mut page = journal.follow();
        journal.tell_state("music", &json!({"a": 1}));
        journal.tell(&json!({"a": 2}));
        for number in 0..2 * KEPT_MAX {
            journal.tell_state("house", &json!({ "a": number }));
        }
        journal.tell_state("music", &json!({"a": 3}));
        let last = u64::try_from(2 * KEPT_MAX).unwrap() + 2;
        assert_eq!(ids(page.next(0).await), [2, last, last + 1]);
    }

    #[tokio::test]
    async fn the_newest_of_two_pages_is_told_and_the_end_ends_it() {
        let journal = Arc::new(Journal::new());
        let mut first = journal.follow();
        let mut second = journal.follow();
        assert!(matches!(first.next(0).await, Next::Replaced));
        drop(first);
        journal.tell(&json!({}));
        assert_eq!(ids(second.next(0).await), [1]);
        journal.end();
        assert!(matches!(second.next(1).await, Next::Over));
    }
}
