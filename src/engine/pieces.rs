//! A page of the vendor's list, asked for in pieces where a whole one is longer than what is read of an answer.

use std::collections::HashSet;

use super::outage::Outage;
use crate::annie::{Answer, Page, Unread, Vendor};

/// Pieces share a conversation, so a smaller one would not get on.
pub(super) const LEAST: u32 = 2;

/// A page of `limit` conversations from `offset` on, in pieces of at most `piece`. Neighbouring pieces share a conversation, so
/// that none is missed when the list moves meanwhile; what could not be joined brings nothing. It is short only where the
/// vendor's own answer was.
pub(super) async fn page<V: Vendor>(vendor: &V, offset: u64, limit: u32, piece: u32) -> Answer<Result<Page, Unread>> {
    if piece >= limit {
        return vendor.page(offset, limit).await;
    }
    let mut whole = again(vendor, offset, piece).await;
    let mut at = offset;
    let mut last = whole.value.as_ref().map_or(0, rows);
    // A piece that lacks a row is not the end: that is one that shows nothing more.
    while last > 0 && whole.value.as_ref().is_ok_and(|page| rows(page) < limit) {
        let Ok(page) = &mut whole.value else { break };
        at += u64::from(last - 1);
        let next = again(vendor, at, piece).await;
        (whole.meter, whole.date) = (next.meter, next.date.or(whole.date));
        match next.value {
            Ok(more) => {
                last = rows(&more);
                match join(page, more) {
                    Joined::Grown => {}
                    // The list ends where little is shown, and none of it is new.
                    Joined::NothingNew if last < piece => break,
                    Joined::NothingNew | Joined::Apart => whole.value = Err(Unread::Unreadable),
                }
            }
            Err(unread) => whole.value = Err(unread),
        }
    }
    whole
}

/// Tries of a piece: were the whole page given up with one of them, a long list would never be read to its end.
const TRIES: u32 = 3;

/// A piece, asked for again where the vendor or the way to it failed.
async fn again<V: Vendor>(vendor: &V, offset: u64, piece: u32) -> Answer<Result<Page, Unread>> {
    let mut tries = 1;
    loop {
        let answer = vendor.page(offset, piece).await;
        let may_be_tried = |unread: &Unread| Outage::of(*unread).is_some() && *unread != Unread::TooLong;
        if tries == TRIES || !answer.value.as_ref().is_err_and(may_be_tried) {
            return answer;
        }
        tries += 1;
    }
}

/// How many requests [`page`] makes if all goes well.
pub(super) fn requests(limit: u32, piece: u32) -> u32 {
    if piece >= limit { 1 } else { 1 + (limit - piece).div_ceil(piece - 1) }
}

fn rows(page: &Page) -> u32 {
    u32::try_from(page.conversations.len() + page.unreadable).unwrap_or(u32::MAX)
}

/// How a piece goes on from those before it.
enum Joined {
    Grown,
    NothingNew,
    /// They have nothing in common.
    Apart,
}

/// Adds what `more` shows beyond the page.
fn join(page: &mut Page, more: Page) -> Joined {
    // A row that cannot be read may be the one in common: such a page proves nothing anyway.
    let cannot_tell = page.unreadable + more.unreadable > 0;
    let known: HashSet<_> = page.conversations.iter().map(|one| one.id.clone()).collect();
    let (shared, new): (Vec<_>, Vec<_>) = more.conversations.into_iter().partition(|one| known.contains(&one.id));
    let joined = match (new.is_empty(), cannot_tell || !shared.is_empty()) {
        (true, _) => Joined::NothingNew,
        (false, true) => Joined::Grown,
        (false, false) => Joined::Apart,
    };
    page.conversations.extend(new);
    page.unreadable += more.unreadable;
    joined
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::annie::{CallRequest, Conversation, Reply, Status};
    use crate::entry::Testimony;
    use crate::ids::ConversationId;
    use crate::phone::E164;

    /// A list, newest first, that grows by one with every read, or ignores where it is asked to start.
    struct List {
        ids: Mutex<Vec<u32>>,
        grows: bool,
        ignores_offset: bool,
        asked: Mutex<Vec<(u64, u32)>>,
    }

    fn list(length: u32) -> List {
        List {
            ids: Mutex::new((0..length).rev().collect()),
            grows: false,
            ignores_offset: false,
            asked: Mutex::default(),
        }
    }

    fn conversation(id: u32) -> Conversation {
        Conversation {
            id: ConversationId::new(format!("c-{id}")),
            is_call: true,
            from: None,
            to: None,
            started: None,
            ended: None,
            status: Status::Open,
            testimony: Testimony::default(),
        }
    }

    impl Vendor for List {
        async fn place(&self, _call: CallRequest) -> Answer<Reply> {
            unreachable!("nobody is called")
        }

        async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
            self.asked.lock().expect("what was asked").push((offset, limit));
            let mut ids = self.ids.lock().expect("ids");
            let from = if self.ignores_offset { 0 } else { offset as usize };
            let shown: Vec<_> = ids.iter().skip(from).take(limit as usize).map(|id| conversation(*id)).collect();
            let next = ids.len() as u32;
            if self.grows {
                ids.insert(0, next);
            }
            Answer::bare(Ok(Page { conversations: shown, unreadable: 0, offset, total: None }))
        }

        async fn conversation(&self, _id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
            Answer::bare(Err(Unread::NotFound))
        }

        async fn may_call_from(&self, _from: E164) -> Answer<Result<Option<bool>, Unread>> {
            Answer::bare(Ok(None))
        }
    }

    async fn read(list: &List, limit: u32, piece: u32) -> Result<Vec<String>, Unread> {
        let page = page(list, 0, limit, piece).await.value?;
        Ok(page.conversations.iter().map(|one| one.id.as_str().to_owned()).collect())
    }

    #[tokio::test]
    async fn a_page_in_pieces_is_the_whole_page() {
        for (length, piece) in [(500, 50), (500, 12), (500, 2), (120, 25), (60, 50), (50, 50), (3, 2)] {
            let list = list(length);
            let whole = read(&list, 100, 100).await.expect("a page");
            list.asked.lock().expect("what was asked").clear();
            let joined = read(&list, 100, piece).await.expect("a page");
            assert_eq!(joined[..whole.len().min(joined.len())], whole[..], "{length} in pieces of {piece}");
            let asked = list.asked.lock().expect("what was asked").len() as u32;
            assert!(asked <= requests(100, piece) + 1, "{asked} requests, {length} in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn a_list_that_grows_between_the_pieces_has_no_hole_and_one_that_cannot_be_joined_brings_nothing() {
        let growing = List { grows: true, ..list(300) };
        let joined = read(&growing, 100, 25).await.expect("a page");
        let numbers: Vec<u32> = joined.iter().filter_map(|id| id[2..].parse().ok()).collect();
        assert!(numbers.len() >= 100 && numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");

        let stuck = List { ignores_offset: true, ..list(300) };
        assert_eq!(read(&stuck, 100, 25).await, Err(Unread::Unreadable));
    }
}
