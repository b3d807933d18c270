//! `outcomes --from-vendor`: the newest conversations of the vendor's list, before the first campaign. They are counted
//! and not kept.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::{Campaign, Organisation};
use crate::clock::{SharedClock, WallClock};
use crate::error::CommandError;
use crate::report::OutcomeTally;
use crate::vendor::quota::Quotas;
use crate::vendor::{Channel, Conversation, Page, ReadError, Response, Vendor};

use super::output::Output;
use super::vendor_config::VendorConfig;
use super::vendor_read;

/// How often a page is asked for again after a 429.
const MAX_RETRIES: u32 = 3;

/// Reads at most `pages` pages for each organisation, after saying how many requests that takes, and counts the calls
/// on them.
pub(super) async fn tally(campaign: &Campaign, pages: u32, output: Output) -> Result<OutcomeTally, CommandError> {
    let VendorConfig::Remote(remote) = VendorConfig::from_campaign(campaign, false)? else {
        return Err(CommandError::Usage(
            "this campaign is for the embedded simulator, which has no conversations outside a run: leave out --from-vendor".into(),
        ));
    };
    let organisations = campaign.locations.organisations();
    let clock: SharedClock = Arc::new(WallClock);
    let failed = |error| vendor_read::failed(error, campaign.locations.are_defined());
    let mut tally = OutcomeTally::default();
    for organisation in organisations {
        output.say(&announcement(organisation, pages));
        let client = remote.client_of(campaign, organisation, Arc::clone(&clock))?;
        let mut reader = ListReader::new(client, organisation, Arc::clone(&clock), campaign);
        let read = reader.newest(pages).await.map_err(failed)?;
        if read.are_the_oldest {
            output.say(&format!(
                "the list of {} begins with the oldest conversation and does not say how long it is: these are its first ones",
                organisation.id
            ));
        }
        for conversation in of_our_calls(read.conversations, organisation, clock.now()) {
            tally.add(&conversation.signals, &campaign.outcomes.classify(&conversation.signals));
        }
    }
    Ok(tally)
}

/// The requests that reading an organisation's list takes, of those that it has.
fn announcement(organisation: &Organisation, pages: u32) -> String {
    format!(
        "reading the list of {} takes at most {pages} of the {} requests a minute that it has; nobody is called, and nothing \
         is stored",
        organisation.id, organisation.rate.requests_per_minute
    )
}

/// The conversations that are over: those of calls from our caller ids or, if there are none yet, every one that is not
/// shown as a text or a chat.
fn of_our_calls(all: Vec<Conversation>, organisation: &Organisation, now: DateTime<Utc>) -> Vec<Conversation> {
    let numbers = organisation.numbers();
    let is_call = |conversation: &Conversation| conversation.medium.named_channel() != Channel::Text;
    let calls: Vec<_> =
        all.into_iter().filter(|conversation| conversation.is_over(now) && is_call(conversation)).collect();
    let is_ours = |conversation: &Conversation| conversation.from.is_some_and(|from| numbers.contains(&from));
    if calls.iter().any(is_ours) { calls.into_iter().filter(is_ours).collect() } else { calls }
}

/// Conversations of one organisation's list, each once.
struct ConversationsRead {
    conversations: Vec<Conversation>,
    /// They are the first of a list that begins with the oldest and has more: its end is not known.
    are_the_oldest: bool,
}

/// Reads pages of one organisation's list within its request budget.
struct ListReader<'a, V> {
    client: V,
    organisation: &'a Organisation,
    clock: SharedClock,
    quotas: Quotas,
    page_rows: u32,
}

impl<'a, V: Vendor> ListReader<'a, V> {
    fn new(client: V, organisation: &'a Organisation, clock: SharedClock, campaign: &Campaign) -> Self {
        let quotas = Quotas::new(Arc::clone(&clock), organisation.rate.requests_per_minute);
        Self { client, organisation, clock, quotas, page_rows: campaign.vendor.kind.limits().page_rows }
    }

    /// The conversations of the newest `pages` pages. The order of the list is read off its first page.
    async fn newest(&mut self, pages: u32) -> Result<ConversationsRead, ReadError> {
        let first = self.page(0).await?;
        let rows = first.rows() as u64;
        let begins_with_oldest = is_oldest_first(&first);
        // The total is only a hint: a wrong one brings other pages.
        let end = first.total.filter(|total| begins_with_oldest && *total > rows);
        let mut conversations = first.conversations;
        let mut last = rows;
        for offset in offsets(end, rows).take(pages as usize - 1) {
            let page = self.page(offset).await?;
            last = page.rows() as u64;
            conversations.extend(page.conversations);
            if last == 0 {
                break;
            }
        }
        conversations.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        conversations.dedup_by(|a, b| a.id == b.id);
        let has_more = last == rows && rows == u64::from(self.page_rows);
        Ok(ConversationsRead { conversations, are_the_oldest: begins_with_oldest && end.is_none() && has_more })
    }

    async fn page(&mut self, offset: u64) -> Result<Page, ReadError> {
        for _ in 0..MAX_RETRIES {
            self.wait_for_budget().await;
            let Response { value, rate_headers, .. } = self.client.page(offset, self.page_rows).await;
            self.quotas.observe(&self.organisation.id, &rate_headers, self.clock.now());
            match value {
                Err(ReadError::RateLimited) => {}
                other => return other,
            }
        }
        Err(ReadError::RateLimited)
    }

    async fn wait_for_budget(&mut self) {
        while let Err(at) = self.quotas.take(&self.organisation.id, self.clock.now()) {
            let wait = (at - self.clock.now()).max(TimeDelta::milliseconds(10));
            self.clock.sleep(wait).await;
        }
    }
}

/// Where the pages after the first one begin: backwards from the end of a list that begins with the oldest conversation, else
/// forwards.
fn offsets(end: Option<u64>, rows: u64) -> Box<dyn Iterator<Item = u64>> {
    if rows == 0 {
        return Box::new(std::iter::empty());
    }
    match end {
        Some(end) => Box::new((1..).map(move |page| end.saturating_sub(page * rows)).take_while(|at| *at > 0)),
        None => Box::new((1..).map(move |page| page * rows)),
    }
}

/// Whether the rows begin with the oldest conversation.
fn is_oldest_first(page: &Page) -> bool {
    let started: Vec<_> = page.conversations.iter().filter_map(|conversation| conversation.started).collect();
    matches!((started.first(), started.last()), (Some(first), Some(last)) if first < last)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::entry::OutcomeSignals;
    use crate::fixtures::{self, REQUIRED};
    use crate::ids::ConversationId;
    use crate::phone::E164;
    use crate::vendor::{CallRequest, Medium, Reply, Status};

    /// A list of so many conversations, which notes the offsets that it is asked for.
    struct FakeList {
        length: u64,
        oldest_first: bool,
        total: Option<u64>,
        asked: Arc<Mutex<Vec<u64>>>,
    }

    impl FakeList {
        /// The conversation that started as the `n`th.
        fn conversation(n: u64) -> Conversation {
            Conversation {
                id: ConversationId::new(format!("c-{n}")),
                medium: Medium::read(Some("VOICE")),
                from: None,
                to: None,
                started: DateTime::from_timestamp(n as i64 * 60, 0),
                ended: None,
                status: Status::Closed,
                signals: OutcomeSignals::default(),
            }
        }
    }

    impl Vendor for FakeList {
        async fn place(&self, _call: CallRequest) -> Response<Reply> {
            panic!("nobody is called")
        }

        async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
            self.asked.lock().expect("one thread").push(offset);
            let shown = (offset..self.length).take(limit as usize);
            let started = shown.map(|at| if self.oldest_first { at } else { self.length - 1 - at });
            let conversations = started.map(Self::conversation).collect();
            Response::bare(Ok(Page { conversations, rows_without_id: Vec::new(), total: self.total }))
        }

        async fn conversation(&self, _id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
            panic!("the list is enough")
        }

        async fn may_call_from(&self, _from: E164) -> Response<Result<Option<bool>, ReadError>> {
            panic!("nobody is called")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_pages_are_read_in_either_order_and_no_more_than_asked_for() {
        let campaign = fixtures::load(&format!("{REQUIRED}[rate]\nrequests_per_minute = 6000\n"));
        let organisation = &campaign.locations.organisations()[0];
        for (length, oldest_first, total, offsets, newest, are_the_oldest) in [
            (450, false, Some(450), vec![0, 100, 200], true, false),
            (450, false, None, vec![0, 100, 200], true, false),
            (450, true, Some(450), vec![0, 350, 250], true, false),
            (450, true, None, vec![0, 100, 200], false, true),
            (130, true, Some(130), vec![0, 30], true, false),
            (0, false, Some(0), vec![0], false, false),
        ] {
            let asked = Arc::default();
            let vendor = FakeList { length, oldest_first, total, asked: Arc::clone(&asked) };
            let mut reader = ListReader::new(vendor, organisation, Arc::new(WallClock), &campaign);
            let read = reader.newest(3).await.expect("read");
            assert_eq!(*asked.lock().expect("one thread"), offsets, "{length}, {oldest_first}, {total:?}");
            let expected = ConversationId::new(format!("c-{}", length.saturating_sub(1)));
            assert_eq!(read.conversations.iter().any(|conversation| conversation.id == expected), newest);
            assert_eq!(read.are_the_oldest, are_the_oldest, "{length}, {oldest_first}, {total:?}");
        }
    }
}
