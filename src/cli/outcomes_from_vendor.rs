//! `outcomes --from-vendor`: the newest conversations of the vendor's list, before the first campaign. They are counted
//! and not kept.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::{Campaign, Organisation};
use crate::clock::{SharedClock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::report::OutcomeTally;
use crate::vendor::quota::Quotas;
use crate::vendor::{Channel, Conversation, Page, ReadError, Response, Vendor};

use super::output::Output;
use super::vendor_config::VendorConfig;

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
    let requests = organisations.len() as u64 * u64::from(pages);
    output.say(&format!(
        "reading the vendor's list takes at most {requests} of the {} requests a minute of each organisation; nobody is called, \
         and nothing is stored",
        campaign.rate.requests_per_minute
    ));
    let mut tally = OutcomeTally::default();
    for organisation in organisations {
        let client = remote.client_of(campaign, organisation, Arc::clone(&clock))?;
        let mut reader = ListReader::new(client, organisation, Arc::clone(&clock), campaign);
        let conversations = reader.newest(pages).await.map_err(|error| refused(organisation, error))?;
        for conversation in of_our_calls(conversations, organisation, clock.now()) {
            tally.add(&conversation.signals, &campaign.outcomes.classify(&conversation.signals));
        }
    }
    Ok(tally)
}

fn refused(organisation: &Organisation, error: ReadError) -> CommandError {
    let text = format!("the list of {} could not be read: {error}; nothing was changed", organisation.id);
    match error {
        ReadError::Unauthorised(_) | ReadError::WebPage(_) => {
            CommandError::RunStopped { exit: ExitStatus::VendorRefused, text }
        }
        ReadError::Unreachable
        | ReadError::NoAnswer
        | ReadError::RateLimited
        | ReadError::NotFound
        | ReadError::Status(_)
        | ReadError::TooLong
        | ReadError::Unreadable => CommandError::NotStarted(text),
    }
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

    /// The conversations of the newest `pages` pages, each once. The order of the list is read off its first page.
    async fn newest(&mut self, pages: u32) -> Result<Vec<Conversation>, ReadError> {
        let first = self.page(0).await?;
        let rows = first.rows() as u64;
        // The total is only a hint: a wrong one brings other pages, and no page twice.
        let total = first.total.filter(|total| *total > rows);
        let from_the_end = is_oldest_first(&first).then_some(total).flatten();
        let mut offset = from_the_end.unwrap_or(rows);
        let mut found = first.conversations;
        for _ in 1..pages {
            if rows == 0 || (from_the_end.is_some() && offset <= rows) {
                break;
            }
            offset = if from_the_end.is_some() { offset.saturating_sub(rows) } else { offset };
            let page = self.page(offset).await?;
            let read = page.rows() as u64;
            found.extend(page.conversations);
            if read == 0 {
                break;
            }
            offset = if from_the_end.is_some() { offset } else { offset + read };
        }
        found.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        found.dedup_by(|a, b| a.id == b.id);
        Ok(found)
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

/// Whether the rows begin with the oldest conversation.
fn is_oldest_first(page: &Page) -> bool {
    let started: Vec<_> = page.conversations.iter().filter_map(|conversation| conversation.started).collect();
    matches!((started.first(), started.last()), (Some(first), Some(last)) if first < last)
}
