use std::sync::Arc;

use chrono::TimeDelta;

use super::*;
use crate::clock::{Clock, ScaledClock};

/// A quota on a clock that only `wait` moves (the tests pause the machine's time).
struct Fixture {
    clock: Arc<ScaledClock>,
    quotas: Quotas,
    org: OrganisationId,
}

impl Fixture {
    fn new(requests_per_minute: u32) -> Self {
        let noon = "2026-11-24T12:00:00Z".parse().expect("an instant");
        let clock = Arc::new(ScaledClock::starting_at(noon, 1.0));
        let quotas = Quotas::new(clock.clone(), requests_per_minute);
        Self { clock, quotas, org: OrganisationId::new("org-1") }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn wait(&self, seconds: f64) {
        self.clock.skip(TimeDelta::microseconds((seconds * 1e6) as i64));
    }

    fn take(&mut self) -> bool {
        self.quotas.take(&self.org, self.clock.now()).is_ok()
    }

    fn available(&self) -> u32 {
        self.quotas.available(&self.org, self.now())
    }

    /// Milliseconds until the next request, 0 for now.
    fn ready_in(&self) -> i64 {
        self.quotas.ready_at(&self.org, self.now()).map_or(0, |at| (at - self.now()).num_milliseconds())
    }

    fn observe(&mut self, headers: &RateHeaders) {
        self.quotas.observe(&self.org, headers, self.clock.now());
    }

    /// Headers with what remains in a window that ends `ends` seconds from now.
    fn headers_with(&self, remaining: u32, ends: i64) -> RateHeaders {
        RateHeaders {
            remaining: Some(remaining),
            reset: Some(self.now() + TimeDelta::seconds(ends)),
            ..RateHeaders::default()
        }
    }

    /// Takes and observes as many requests as allowed for `seconds`; returns how many.
    fn spend_for(&mut self, seconds: f64, headers: &RateHeaders) -> u32 {
        let end = self.now() + TimeDelta::microseconds((seconds * 1e6) as i64);
        let mut spent = 0;
        while self.now() < end {
            match self.quotas.take(&self.org, self.clock.now()) {
                Ok(()) => {
                    spent += 1;
                    self.observe(headers);
                }
                Err(at) => self.clock.skip(at - self.now()),
            }
        }
        spent
    }
}

fn status_429() -> RateHeaders {
    RateHeaders { exhausted: true, ..RateHeaders::default() }
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_steady() {
    for rate in [1, 7, 60, 600, 20_000] {
        let mut fixture = Fixture::new(rate);
        let burst = fixture.available();
        let spent = fixture.spend_for(120.0, &RateHeaders::default());
        assert!((2 * rate..2 * rate + burst.max(1)).contains(&spent), "{rate} a minute: {spent}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_sixty_a_minute_one_request_goes_each_second() {
    let mut fixture = Fixture::new(60);
    for _ in 0..10 {
        assert_eq!((fixture.available(), fixture.ready_in()), (1, 0));
        assert!(fixture.take());
        assert_eq!((fixture.available(), fixture.ready_in()), (0, 1_000));
        assert!(!fixture.take());
        fixture.wait(0.4);
        assert_eq!(fixture.ready_in(), 600);
        fixture.wait(0.6);
    }
}

#[tokio::test(start_paused = true)]
async fn checking_spends_nothing() {
    let mut fixture = Fixture::new(60);
    for _ in 0..100 {
        assert_eq!((fixture.available(), fixture.ready_in()), (1, 0));
    }
    assert!(fixture.take());
    for _ in 0..100 {
        assert!(!fixture.take(), "a refused request must not be spent either");
    }
    assert_eq!(fixture.ready_in(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn neither_a_pause_nor_a_new_run_earns_a_burst() {
    let mut fixture = Fixture::new(60);
    fixture.spend_for(10.0, &RateHeaders::default());
    fixture.wait(3_600.0);
    assert_eq!(fixture.available(), 1);
    let mut resumed = Fixture::new(60);
    assert_eq!(resumed.available(), 1);
    assert!(resumed.take() && !resumed.take());
}

#[tokio::test(start_paused = true)]
async fn each_organisation_has_its_own_budget() {
    let mut fixture = Fixture::new(60);
    let other = OrganisationId::new("org-2");
    assert!(fixture.take());
    fixture.observe(&fixture.headers_with(0, 30));
    assert_eq!(fixture.ready_in(), 30_000);
    assert_eq!(fixture.quotas.ready_at(&other, fixture.now()), None);
    assert_eq!(fixture.quotas.take(&other, fixture.now()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn headers_correct_the_forecast() {
    let mut fixture = Fixture::new(60);
    assert!(fixture.take());
    fixture.observe(&fixture.headers_with(0, 42));
    assert_eq!((fixture.available(), fixture.ready_in()), (0, 42_000));
    fixture.wait(41.0);
    assert!(!fixture.take());
    fixture.wait(1.0);
    assert_eq!((fixture.available(), fixture.ready_in()), (1, 0));
    assert!(fixture.take());
}

#[tokio::test(start_paused = true)]
async fn a_budget_shared_with_others_runs_out_when_the_vendor_says_so() {
    let mut fixture = Fixture::new(600);
    // Other software sends nine requests for each of ours.
    for remaining in [50, 40, 30, 20, 10, 0] {
        assert!(fixture.take(), "{remaining}");
        let ends = fixture.now() + TimeDelta::seconds(30);
        fixture.observe(&RateHeaders { remaining: Some(remaining), reset: Some(ends), ..RateHeaders::default() });
        fixture.wait(0.1);
    }
    assert!(fixture.ready_in() > 29_000);
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_are_not_spent_twice() {
    let mut fixture = Fixture::new(60_000);
    assert_eq!(fixture.available(), 100);
    assert!(fixture.take());
    fixture.observe(&fixture.headers_with(5, 30));
    assert_eq!(fixture.available(), 5);
    for left in (0..5).rev() {
        assert!(fixture.take());
        assert_eq!(fixture.available(), left);
    }
    assert!(!fixture.take());
    assert_eq!(fixture.ready_in(), 30_000);
}

#[tokio::test(start_paused = true)]
async fn responses_that_overtake_each_other_raise_nothing() {
    let mut fixture = Fixture::new(60_000);
    let ends = fixture.now() + TimeDelta::seconds(30);
    let headers_with =
        |remaining| RateHeaders { remaining: Some(remaining), reset: Some(ends), ..RateHeaders::default() };
    (0..4).for_each(|_| assert!(fixture.take()));
    // The request that the vendor counted last is answered first; the others may not be counted until they are
    // answered.
    for (remaining, available) in [(6, 3), (9, 4), (7, 5), (8, 6)] {
        fixture.observe(&headers_with(remaining));
        assert_eq!(fixture.available(), available);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_of_the_last_window_says_nothing_about_this_one() {
    let mut fixture = Fixture::new(60_000);
    let (first, second) = (fixture.now() + TimeDelta::seconds(10), fixture.now() + TimeDelta::seconds(70));
    (0..3).for_each(|_| assert!(fixture.take()));
    fixture.observe(&RateHeaders { remaining: Some(4), reset: Some(first), ..RateHeaders::default() });
    fixture.wait(11.0);
    fixture.observe(&RateHeaders { remaining: Some(59), reset: Some(second), ..RateHeaders::default() });
    assert_eq!(fixture.available(), 58);
    fixture.observe(&RateHeaders { remaining: Some(2), reset: Some(first), ..RateHeaders::default() });
    assert_eq!(fixture.available(), 59);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_response_has_no_headers_may_have_been_counted() {
    let mut fixture = Fixture::new(60_000);
    (0..2).for_each(|_| assert!(fixture.take()));
    fixture.observe(&fixture.headers_with(5, 30));
    fixture.observe(&RateHeaders::default());
    assert_eq!(fixture.available(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_remaining_count_without_a_reset_holds_for_a_minute() {
    let mut fixture = Fixture::new(60_000);
    let headers_with = |remaining| RateHeaders { remaining: Some(remaining), ..RateHeaders::default() };
    assert!(fixture.take());
    fixture.observe(&headers_with(0));
    assert_eq!(fixture.ready_in(), 60_000);
    fixture.wait(60.0);
    assert!(fixture.take());
    fixture.observe(&headers_with(7));
    assert!(fixture.take());
    fixture.observe(&headers_with(9));
    assert_eq!(fixture.available(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_reset_by_a_wrong_clock_is_ignored() {
    for (remaining, ends) in [(0, -5), (0, 0), (0, 3_600), (0, 1_000_000_000)] {
        let mut fixture = Fixture::new(60_000);
        assert!(fixture.take());
        fixture.observe(&fixture.headers_with(remaining, ends));
        assert!(fixture.take(), "{ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_slows_us_down_and_a_higher_one_does_not_speed_us_up() {
    let limit = |limit| RateHeaders { limit: Some(limit), ..RateHeaders::default() };
    for (configured, vendor_limit, kept) in
        [(60, 30, 30), (60, 600, 60), (60, 0, 60), (1_000_000, 60, 60), (6_000, 600, 600)]
    {
        let mut fixture = Fixture::new(configured);
        fixture.take();
        fixture.observe(&limit(vendor_limit));
        let spent = fixture.spend_for(60.0, &limit(vendor_limit));
        assert!(spent.abs_diff(kept) <= 1, "{configured} configured, {vendor_limit} from the vendor: {spent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_again_earns_no_burst() {
    let mut fixture = Fixture::new(6_000);
    fixture.take();
    fixture.observe(&RateHeaders { limit: Some(60), ..RateHeaders::default() });
    assert_eq!((fixture.available(), fixture.ready_in()), (0, 1_000));
    fixture.wait(10.0);
    assert!(fixture.take());
    fixture.observe(&RateHeaders { limit: Some(6_000), ..RateHeaders::default() });
    assert!(fixture.available() <= 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_429_nothing_is_sent_before_the_instant_it_names() {
    for (retry, reset, wait) in [
        (Some(7), None, 7),
        (None, Some(20), 20),
        (Some(7), Some(20), 20),
        (Some(30), Some(20), 30),
        (Some(7), Some(-20), 7),
        (Some(7), Some(1_000_000_000), 7),
        (Some(1_000_000), None, 3_600),
    ] {
        let mut fixture = Fixture::new(60);
        let at = |seconds: Option<i64>| seconds.map(|seconds| fixture.now() + TimeDelta::seconds(seconds));
        let headers = RateHeaders { retry_at: at(retry), reset: at(reset), ..status_429() };
        assert!(fixture.take());
        fixture.observe(&headers);
        assert_eq!((fixture.available(), fixture.ready_in()), (0, wait * 1_000), "{retry:?} {reset:?}");
        fixture.wait(wait as f64 - 0.001);
        assert!(!fixture.take());
        fixture.wait(0.001);
        assert!(fixture.take());
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_without_headers_waits_longer_each_time() {
    let mut fixture = Fixture::new(60);
    for at_most in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        assert!(fixture.take());
        fixture.observe(&status_429());
        let wait = fixture.ready_in();
        assert!((at_most / 2..=at_most).contains(&wait), "{wait} of {at_most}");
        fixture.wait((wait + 1) as f64 / 1e3);
    }
    fixture.wait(600.0);
    assert!(fixture.take());
    fixture.observe(&status_429());
    assert!(fixture.ready_in() <= 5_000, "after a lull the backoff starts over");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_zero_still_waits() {
    let mut fixture = Fixture::new(60);
    assert!(fixture.take());
    fixture.observe(&RateHeaders { retry_at: Some(fixture.now()), ..status_429() });
    assert!(fixture.ready_in() >= 2_500);
}

#[tokio::test(start_paused = true)]
async fn one_wave_of_429s_counts_once() {
    let mut fixture = Fixture::new(60_000);
    (0..10).for_each(|_| assert!(fixture.take()));
    (0..10).for_each(|_| fixture.observe(&status_429()));
    assert!(fixture.ready_in() <= 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_counts_without_a_429_too() {
    let mut fixture = Fixture::new(60);
    assert!(fixture.take());
    fixture.observe(&RateHeaders { retry_at: Some(fixture.now() + TimeDelta::seconds(12)), ..RateHeaders::default() });
    assert_eq!(fixture.ready_in(), 12_000);
}

#[tokio::test(start_paused = true)]
async fn a_million_a_minute_is_a_rate_like_any_other() {
    let mut fixture = Fixture::new(1_000_000);
    assert_eq!(fixture.available(), 1_666);
    let mut spent = 0;
    for _ in 0..1_000 {
        while fixture.take() {
            fixture.observe(&RateHeaders::default());
            spent += 1;
        }
        fixture.wait(0.01);
    }
    assert!((166_000..=168_400).contains(&spent), "{spent} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn every_rate_is_usable() {
    for rate in [0, 1, u32::MAX] {
        assert!(Fixture::new(rate).take(), "{rate}");
    }
}

/// A clock that can be set back.
#[derive(Debug)]
struct Adjustable(std::sync::Mutex<DateTime<Utc>>);

impl Clock for Adjustable {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("unpoisoned")
    }

    fn sleep(&self, _: TimeDelta) -> futures_util::future::BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

#[test]
fn a_clock_that_is_set_back_neither_stalls_nor_speeds_up_requests() {
    let noon: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let clock = Arc::new(Adjustable(std::sync::Mutex::new(noon)));
    let mut quotas = Quotas::new(clock.clone(), 60);
    let org = OrganisationId::new("org-1");
    let set = |instant| *clock.0.lock().expect("unpoisoned") = instant;
    assert_eq!(quotas.take(&org, noon), Ok(()));
    quotas.observe(
        &org,
        &RateHeaders { exhausted: true, retry_at: Some(noon + TimeDelta::seconds(9)), ..RateHeaders::default() },
        noon,
    );
    let earlier = noon - TimeDelta::days(1);
    set(earlier);
    assert_eq!(quotas.take(&org, earlier), Err(earlier + TimeDelta::seconds(1)));
    set(earlier + TimeDelta::seconds(1));
    assert_eq!(quotas.take(&org, earlier + TimeDelta::seconds(1)), Ok(()));
    assert!(quotas.take(&org, earlier + TimeDelta::seconds(1)).is_err());
}
