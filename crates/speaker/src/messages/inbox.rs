//! Messages that wait to be heard, as the hub tells them; and those that were heard here, whatever the hub knows yet.
use std::collections::{BTreeSet, VecDeque};

use super::exchange::{Envelope, Mailbox, Request};

/// Messages whose end here is remembered: a list that the hub made before it knew brings none of them back.
const MARKED_MAX: usize = 1_000;

/// What became of a message here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was heard.
    Read,
    /// It was deleted.
    Deleted,
}

/// A message that was heard or deleted here.
#[derive(Debug, Clone)]
struct Marked {
    id: String,
    mailbox: Mailbox,
    mark: Mark,
    /// Whether the hub knows.
    told: bool,
}

impl Marked {
    fn request(&self) -> Request {
        let (message, mailbox) = (self.id.clone(), self.mailbox);
        match self.mark {
            Mark::Read => Request::Read { message, mailbox },
            Mark::Deleted => Request::Delete { message, mailbox },
        }
    }
}

/// The mailbox.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    unheard: Vec<Envelope>,
    /// Every message that was told, so that only a new one chimes.
    known: BTreeSet<String>,
    marked: VecDeque<Marked>,
    is_told: bool,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.unheard.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.unheard.len()
    }

    pub(super) fn first(&self) -> Option<&Envelope> {
        self.unheard.first()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Envelope> {
        self.unheard.iter().find(|envelope| envelope.id == id)
    }

    /// Takes the hub's list: what is new in it, and whether it is the first since the start.
    pub(super) fn tell(&mut self, unheard: Vec<Envelope>) -> (Vec<Envelope>, bool) {
        let marked: BTreeSet<&str> = self.marked.iter().map(|one| one.id.as_str()).collect();
        self.unheard = unheard
            .into_iter()
            .filter(|envelope| !marked.contains(envelope.id.as_str()))
            .collect();
        let known = core::mem::take(&mut self.known);
        self.known = self.unheard.iter().map(|one| one.id.clone()).collect();
        let fresh = self.unheard.iter().filter(|one| !known.contains(&one.id));
        let first = !core::mem::replace(&mut self.is_told, true);
        (fresh.cloned().collect(), first)
    }

    /// It was heard or deleted; what the hub is to be told, if it was not so before.
    pub(super) fn mark(&mut self, envelope: &Envelope, mark: Mark) -> Option<Request> {
        self.unheard.retain(|other| other.id != envelope.id);
        let before = self.marked.iter().position(|one| one.id == envelope.id);
        if let Some(at) = before {
            if self.marked.get(at).is_some_and(|one| one.mark == mark) {
                return None;
            }
            self.marked.remove(at);
        }
        if self.marked.len() >= MARKED_MAX {
            self.marked.pop_front();
        }
        let marked = Marked {
            id: envelope.id.clone(),
            mailbox: envelope.mailbox,
            mark,
            told: false,
        };
        let request = marked.request();
        self.marked.push_back(marked);
        Some(request)
    }

    /// The hub has answered about it.
    pub(super) fn hub_knows(&mut self, id: &str) {
        for one in self.marked.iter_mut().filter(|one| one.id == id) {
            one.told = true;
        }
    }

    /// What the hub was not told yet, by message.
    pub(super) fn untold(&self) -> Vec<(String, Request)> {
        let untold = self.marked.iter().filter(|one| !one.told);
        untold.map(|one| (one.id.clone(), one.request())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(id: &str) -> Envelope {
        Envelope {
            id: id.into(),
            mailbox: Mailbox::Device,
            from: "the hall".into(),
            sent_at_unix_ms: 0,
            text: Some("dinner".into()),
            voice: false,
            announcement: false,
            reminder_due_ms: None,
        }
    }

    #[test]
    fn what_was_heard_never_comes_back_by_an_old_list() {
        let mut inbox = Inbox::default();
        let list = vec![envelope("a"), envelope("b")];
        let (fresh, first) = inbox.tell(list.clone());
        assert_eq!((fresh.len(), first), (2, true));
        assert!(inbox.mark(&envelope("a"), Mark::Read).is_some());
        assert!(inbox.mark(&envelope("a"), Mark::Read).is_none());
        assert_eq!(inbox.untold().len(), 1);
        inbox.hub_knows("a");
        assert!(inbox.untold().is_empty());
        let (fresh, first) = inbox.tell(list);
        assert_eq!((fresh.len(), first), (0, false));
        assert_eq!(inbox.first().map(|one| one.id.as_str()), Some("b"));
        assert!(inbox.mark(&envelope("a"), Mark::Deleted).is_some());
    }
}
