//! One organisation's budget as the response headers show it, less the requests sent since.
//!
//! The number of requests left counts down within a window and jumps up with the next one. Responses overtake each
//! other, so the lowest number seen in a window is the right one, and a request in flight counts as not yet included.
//! Other software shares the budget: the requests that it is expected to have used since the last response are left to
//! it. After a window's end nothing is known, and the rate limiter alone decides until the next response.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use crate::vendor::RateHeaders;
use crate::vendor::backoff::Backoff;

use super::foreign_usage::{ForeignUsage, WindowUsage};

/// The length of a window where the headers do not say: budgets are in requests per minute.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// No window ends later than this from now; a later end comes from a wrong clock.
const MAX_WINDOW: TimeDelta = TimeDelta::minutes(2);

/// Window ends that differ by no more belong to one window: they come in whole seconds.
const SAME_WINDOW: TimeDelta = TimeDelta::seconds(1);

/// The longest pause after one 429, whatever its headers say.
const MAX_PAUSE: TimeDelta = TimeDelta::hours(1);

/// A 429 this long after the last pause starts the backoff over instead of growing it.
const BACKOFF_RESET: TimeDelta = TimeDelta::minutes(2);

/// One organisation's budget, as the vendor's headers show it.
#[derive(Debug)]
pub(super) struct OrganisationQuota {
    window: Option<VendorWindow>,
    /// The foreign usage of the window before it.
    previous_foreign: ForeignUsage,
    /// Requests per minute, as the vendor says; `None` until a response has it.
    limit: Option<NonZeroU32>,
    /// Requests sent and not yet observed.
    in_flight: u32,
    /// No request is sent before this.
    paused_until: Option<DateTime<Utc>>,
    /// 429s in a row that did not say how long to wait.
    unspecified_429s: u32,
    backoff: Backoff,
    seed: u64,
}

/// One window of the vendor's request budget.
#[derive(Debug, Clone, Copy)]
struct VendorWindow {
    ends: DateTime<Utc>,
    /// The lowest number of requests left that was seen in this window.
    remaining: u32,
    usage: WindowUsage,
}

impl OrganisationQuota {
    /// A budget of which nothing is known yet. `backoff` and `seed` decide the pauses after 429s that name none.
    pub(super) fn new(backoff: Backoff, seed: u64) -> Self {
        Self {
            window: None,
            previous_foreign: ForeignUsage::default(),
            limit: None,
            in_flight: 0,
            paused_until: None,
            unspecified_429s: 0,
            backoff,
            seed,
        }
    }

    /// Requests per minute, as the vendor says; `None` until a response has it.
    pub(super) fn limit(&self) -> Option<NonZeroU32> {
        self.limit
    }

    /// How many requests the vendor would still accept now; `u32::MAX` if unknown.
    pub(super) fn available(&self, now: DateTime<Utc>) -> u32 {
        if self.paused(now).is_some() {
            return 0;
        }
        self.current(now).map_or(u32::MAX, |window| window.remaining.saturating_sub(self.reserved(&window, now)))
    }

    /// The part of `remaining` that is not ours to spend: requests in flight, and the foreign requests expected since
    /// the last response.
    fn reserved(&self, window: &VendorWindow, now: DateTime<Utc>) -> u32 {
        let span = window.usage.since_last_response(now);
        let expected = self.previous_foreign.in_span(span).max(window.usage.foreign().in_span(span));
        self.in_flight.saturating_add(expected)
    }

    /// The requests that other software is expected to make in a minute.
    pub(super) fn foreign_per_minute(&self, now: DateTime<Utc>) -> u32 {
        let current = self.current(now).map_or(0, |window| window.usage.foreign().in_span(WINDOW));
        current.max(self.previous_foreign.in_span(WINDOW))
    }

    /// When the vendor accepts a request again; `None`: now.
    pub(super) fn ready_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_used_up = |window: &VendorWindow| window.remaining <= self.reserved(window, now);
        let used_up = self.current(now).filter(is_used_up).map(|window| window.ends);
        used_up.max(self.paused(now))
    }

    /// Counts a request that is being sent.
    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// Accounts for one sent request: its response's headers, or empty ones if no response came.
    pub(super) fn observe(&mut self, headers: &RateHeaders, now: DateTime<Utc>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.limit = headers.limit.and_then(NonZeroU32::new).or(self.limit);
        let window = self.window_after(headers, now);
        if let Some(previous) = self.window.filter(|previous| window.is_none_or(|window| window.ends != previous.ends))
        {
            self.previous_foreign = previous.usage.foreign();
        }
        self.window = window;
        if headers.exhausted {
            self.pause_after_429(headers, now);
        } else if let Some(at) = headers.retry_at {
            self.pause_until(at, now);
        }
    }

    fn window_after(&self, headers: &RateHeaders, now: DateTime<Utc>) -> Option<VendorWindow> {
        let current = self.current(now);
        let Some(remaining) = headers.remaining else {
            // No response, or one without a count: the vendor may have counted the request.
            return current.map(VendorWindow::less_one);
        };
        match (current, headers.reset) {
            (Some(window), None) => Some(window.observe(remaining, now, self.in_flight)),
            (Some(window), Some(reset)) if (reset - window.ends).abs() <= SAME_WINDOW => {
                Some(window.observe(remaining, now, self.in_flight))
            }
            // A late response of an earlier window.
            (Some(window), Some(reset)) if reset < window.ends => Some(window),
            (_, reset) => {
                let (ends, usage) = (reset.unwrap_or(now + WINDOW), WindowUsage::new(now, remaining));
                Some(VendorWindow { ends, remaining, usage }).filter(|window| window.is_current(now))
            }
        }
    }

    /// The window that contains `now`, if known.
    fn current(&self, now: DateTime<Utc>) -> Option<VendorWindow> {
        self.window.filter(|window| window.is_current(now))
    }

    fn paused(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.filter(|until| now < *until && *until - now <= MAX_PAUSE)
    }

    /// After a 429: pauses until the window ends or the named instant has passed, whichever is later, or for a growing
    /// delay if neither is given. A 429 during a pause belongs to the same wave and changes nothing.
    fn pause_after_429(&mut self, headers: &RateHeaders, now: DateTime<Utc>) {
        let reset = headers.reset.filter(|reset| *reset - now <= MAX_PAUSE);
        match headers.retry_at.max(reset).filter(|at| *at > now) {
            Some(at) => self.pause_until(at, now),
            None if self.paused(now).is_some() => {}
            None => {
                let again = self.paused_until.is_some_and(|until| now - until <= BACKOFF_RESET);
                self.unspecified_429s = if again { self.unspecified_429s.saturating_add(1) } else { 1 };
                self.pause_until(now + self.backoff.after(self.unspecified_429s, self.seed), now);
            }
        }
    }

    fn pause_until(&mut self, at: DateTime<Utc>, now: DateTime<Utc>) {
        let at = at.min(now + MAX_PAUSE);
        self.paused_until = self.paused(now).max(Some(at));
    }
}

impl VendorWindow {
    fn is_current(&self, now: DateTime<Utc>) -> bool {
        now < self.ends && self.ends - now <= MAX_WINDOW
    }

    /// Adds a response of this window.
    fn observe(self, remaining: u32, now: DateTime<Utc>, in_flight: u32) -> Self {
        let remaining = self.remaining.min(remaining);
        Self { remaining, usage: self.usage.observe(now, remaining, in_flight), ..self }
    }

    /// Counts a request of ours that got no response, or one without a count.
    fn less_one(self) -> Self {
        Self { remaining: self.remaining.saturating_sub(1), usage: self.usage.unanswered(), ..self }
    }
}
