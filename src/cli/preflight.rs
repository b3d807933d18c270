//! Before a run writes anything: does the vendor answer, and can this machine's clock be trusted?

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::engine::CLOCK_TOLERANCE;
use crate::engine::vendor_clock::{Asked, ask_for_the_time};
use crate::error::Stop;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::Hours;

use super::api::Api;
use super::output::Output;
use super::placing::stop_signal;

/// For how long a vendor that does not answer is asked again while the window is closed.
const PATIENCE_OUTSIDE: TimeDelta = TimeDelta::minutes(10);

/// Waits until the vendor has answered, and compares clocks: what a wrong clock writes, it writes for good. The simulator
/// inside this program goes by our clock.
pub(super) async fn agree_on_the_time(
    campaign: &Campaign,
    api: &Api,
    clock: &dyn Clock,
    output: Output,
) -> Result<(), Stop> {
    let Api::Remote(remote) = api else { return Ok(()) };
    let Some(account) = campaign.lines.accounts().first() else { return Ok(()) };
    // A client dates nothing by itself: tokens are fetched anew by the run's own.
    let client = remote.client_of(campaign, account, std::sync::Arc::new(WallClock))?;
    let Some(from) = account.numbers().first().copied() else { return Ok(()) };
    let now = clock.now();
    let closes = Hours::of_practice(&campaign.calling, &campaign.practice.zone).closes(now);
    let patience = closes.map_or(PATIENCE_OUTSIDE, |closes| (closes - now).min(campaign.safety.outage));
    let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%H:%M").to_string();
    let waiting = |_| output.say(&format!("the vendor does not answer; it is asked until {}", local(now + patience)));
    let asked = tokio::select! {
        asked = ask_for_the_time(&client, from, clock, patience, waiting) => asked,
        () = stop_signal() => return Err(Stop::NotNow("interrupted; nothing was enrolled and nobody was called".into())),
    };
    match asked {
        Asked::Agrees => Ok(()),
        Asked::Off(by) => Err(Stop::NotNow(format!(
            "this machine's clock is wrong by about {} s, as the vendor's answers say, so no hour can be trusted; nothing was \
             enrolled and nobody was called: set the clock, then run again",
            by.num_seconds().abs()
        ))),
        Asked::NoAnswer(unread) => Err(Stop::NotNow(format!(
            "{unread} ({}); nothing was enrolled and nobody was called: look at the network, then run again",
            remote.base_url
        ))),
    }
}

/// A ledger whose events lie in the future was written while a clock was ahead; ours has been compared with the vendor's.
pub(super) async fn refuse_the_future(ledger: &Ledger, clock: &dyn Clock) -> Result<(), Stop> {
    if clock.is_invented() {
        return Ok(());
    }
    match ledger.future_events(clock.now() + CLOCK_TOLERANCE).await? {
        Some((events, newest)) => Err(from_the_future(events, newest).into()),
        None => Ok(()),
    }
}

pub(super) fn from_the_future(events: u64, newest: DateTime<Utc>) -> LedgerError {
    LedgerError::FromTheFuture { events, newest: newest.to_rfc3339_opts(SecondsFormat::Secs, true) }
}
