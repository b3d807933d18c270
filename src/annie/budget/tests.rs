use std::sync::Arc;

use chrono::TimeDelta;

use super::*;
use crate::clock::{Clock, TravelClock};

/// A budget on a clock that only `wait` moves (the tests pause the machine's time).
struct Desk {
    clock: Arc<TravelClock>,
    budget: Budget,
    org: OrganisationId,
}

impl Desk {
    fn new(requests_per_minute: u32) -> Self {
        let noon = "2026-11-24T12:00:00Z".parse().expect("an instant");
        let clock = Arc::new(TravelClock::starting_at(noon, 1.0));
        let budget = Budget::new(clock.clone(), requests_per_minute);
        Self { clock, budget, org: OrganisationId::new("org-1") }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn wait(&self, seconds: f64) {
        self.clock.leap(TimeDelta::microseconds((seconds * 1e6) as i64));
    }

    fn take(&mut self) -> bool {
        self.budget.take(&self.org, self.clock.now()).is_ok()
    }

    fn available(&self) -> u32 {
        self.budget.available(&self.org, self.now())
    }

    /// Milliseconds until the next request, 0 for now.
    fn ready_in(&self) -> i64 {
        self.budget.ready_at(&self.org, self.now()).map_or(0, |at| (at - self.now()).num_milliseconds())
    }

    fn observe(&mut self, meter: &Meter) {
        self.budget.observe(&self.org, meter, self.clock.now());
    }

    /// An answer that says what remains until `ends` seconds from now.
    fn told(&self, remaining: u32, ends: i64) -> Meter {
        Meter { remaining: Some(remaining), reset: Some(self.now() + TimeDelta::seconds(ends)), ..Meter::default() }
    }

    /// Takes and observes whatever it may for `seconds`; how many that was.
    fn spend_for(&mut self, seconds: f64, meter: &Meter) -> u32 {
        let end = self.now() + TimeDelta::microseconds((seconds * 1e6) as i64);
        let mut spent = 0;
        while self.now() < end {
            match self.budget.take(&self.org, self.clock.now()) {
                Ok(()) => {
                    spent += 1;
                    self.observe(meter);
                }
                Err(at) => self.clock.leap(at - self.now()),
            }
        }
        spent
    }
}

fn refusal() -> Meter {
    Meter { exhausted: true, ..Meter::default() }
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_steady() {
    for rate in [1, 7, 60, 600, 20_000] {
        let mut desk = Desk::new(rate);
        let burst = desk.available();
        let spent = desk.spend_for(120.0, &Meter::default());
        assert!((2 * rate..2 * rate + burst.max(1)).contains(&spent), "{rate} a minute: {spent}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_sixty_a_minute_one_request_goes_each_second() {
    let mut desk = Desk::new(60);
    for _ in 0..10 {
        assert_eq!((desk.available(), desk.ready_in()), (1, 0));
        assert!(desk.take());
        assert_eq!((desk.available(), desk.ready_in()), (0, 1_000));
        assert!(!desk.take());
        desk.wait(0.4);
        assert_eq!(desk.ready_in(), 600);
        desk.wait(0.6);
    }
}

#[tokio::test(start_paused = true)]
async fn asking_spends_nothing() {
    let mut desk = Desk::new(60);
    for _ in 0..100 {
        assert_eq!((desk.available(), desk.ready_in()), (1, 0));
    }
    assert!(desk.take());
    for _ in 0..100 {
        assert!(!desk.take(), "a refused request must not be spent either");
    }
    assert_eq!(desk.ready_in(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn neither_a_pause_nor_a_new_run_earns_a_burst() {
    let mut desk = Desk::new(60);
    desk.spend_for(10.0, &Meter::default());
    desk.wait(3_600.0);
    assert_eq!(desk.available(), 1);
    let mut resumed = Desk::new(60);
    assert_eq!(resumed.available(), 1);
    assert!(resumed.take() && !resumed.take());
}

#[tokio::test(start_paused = true)]
async fn each_organisation_has_its_own_budget() {
    let mut desk = Desk::new(60);
    let other = OrganisationId::new("org-2");
    assert!(desk.take());
    desk.observe(&desk.told(0, 30));
    assert_eq!(desk.ready_in(), 30_000);
    assert_eq!(desk.budget.ready_at(&other, desk.now()), None);
    assert_eq!(desk.budget.take(&other, desk.now()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn headers_correct_the_forecast() {
    let mut desk = Desk::new(60);
    assert!(desk.take());
    desk.observe(&desk.told(0, 42));
    assert_eq!((desk.available(), desk.ready_in()), (0, 42_000));
    desk.wait(41.0);
    assert!(!desk.take());
    desk.wait(1.0);
    assert_eq!((desk.available(), desk.ready_in()), (1, 0));
    assert!(desk.take());
}

#[tokio::test(start_paused = true)]
async fn a_budget_shared_with_others_runs_out_when_the_vendor_says_so() {
    let mut desk = Desk::new(600);
    // Somebody else spends nine requests for each of ours.
    for remaining in [50, 40, 30, 20, 10, 0] {
        assert!(desk.take(), "{remaining}");
        let ends = desk.now() + TimeDelta::seconds(30);
        desk.observe(&Meter { remaining: Some(remaining), reset: Some(ends), ..Meter::default() });
        desk.wait(0.1);
    }
    assert!(desk.ready_in() > 29_000);
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_are_not_spent_twice() {
    let mut desk = Desk::new(60_000);
    assert_eq!(desk.available(), 100);
    assert!(desk.take());
    desk.observe(&desk.told(5, 30));
    assert_eq!(desk.available(), 5);
    for left in (0..5).rev() {
        assert!(desk.take());
        assert_eq!(desk.available(), left);
    }
    assert!(!desk.take());
    assert_eq!(desk.ready_in(), 30_000);
}

#[tokio::test(start_paused = true)]
async fn answers_that_overtake_each_other_raise_nothing() {
    let mut desk = Desk::new(60_000);
    let ends = desk.now() + TimeDelta::seconds(30);
    let told = |remaining| Meter { remaining: Some(remaining), reset: Some(ends), ..Meter::default() };
    (0..4).for_each(|_| assert!(desk.take()));
    // The request that the vendor counted last is answered first: until the others are, they may not be counted yet.
    for (remaining, available) in [(6, 3), (9, 4), (7, 5), (8, 6)] {
        desk.observe(&told(remaining));
        assert_eq!(desk.available(), available);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_last_window_says_nothing_of_this_one() {
    let mut desk = Desk::new(60_000);
    let (first, second) = (desk.now() + TimeDelta::seconds(10), desk.now() + TimeDelta::seconds(70));
    (0..3).for_each(|_| assert!(desk.take()));
    desk.observe(&Meter { remaining: Some(4), reset: Some(first), ..Meter::default() });
    desk.wait(11.0);
    desk.observe(&Meter { remaining: Some(59), reset: Some(second), ..Meter::default() });
    assert_eq!(desk.available(), 58);
    desk.observe(&Meter { remaining: Some(2), reset: Some(first), ..Meter::default() });
    assert_eq!(desk.available(), 59);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_headers_may_have_been_counted() {
    let mut desk = Desk::new(60_000);
    (0..2).for_each(|_| assert!(desk.take()));
    desk.observe(&desk.told(5, 30));
    desk.observe(&Meter::default());
    assert_eq!(desk.available(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_remaining_count_without_a_reset_holds_for_a_minute() {
    let mut desk = Desk::new(60_000);
    let told = |remaining| Meter { remaining: Some(remaining), ..Meter::default() };
    assert!(desk.take());
    desk.observe(&told(0));
    assert_eq!(desk.ready_in(), 60_000);
    desk.wait(60.0);
    assert!(desk.take());
    desk.observe(&told(7));
    assert!(desk.take());
    desk.observe(&told(9));
    assert_eq!(desk.available(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_reset_of_another_clock_is_not_believed() {
    for (remaining, ends) in [(0, -5), (0, 0), (0, 3_600), (0, 1_000_000_000)] {
        let mut desk = Desk::new(60_000);
        assert!(desk.take());
        desk.observe(&desk.told(remaining, ends));
        assert!(desk.take(), "{ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_slows_us_down_and_a_higher_one_does_not_speed_us_up() {
    let limit = |limit| Meter { limit: Some(limit), ..Meter::default() };
    for (configured, told, kept) in [(60, 30, 30), (60, 600, 60), (60, 0, 60), (1_000_000, 60, 60), (6_000, 600, 600)] {
        let mut desk = Desk::new(configured);
        desk.take();
        desk.observe(&limit(told));
        let spent = desk.spend_for(60.0, &limit(told));
        assert!(spent.abs_diff(kept) <= 1, "{configured} configured, {told} told: {spent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_again_earns_no_burst() {
    let mut desk = Desk::new(6_000);
    desk.take();
    desk.observe(&Meter { limit: Some(60), ..Meter::default() });
    assert_eq!((desk.available(), desk.ready_in()), (0, 1_000));
    desk.wait(10.0);
    assert!(desk.take());
    desk.observe(&Meter { limit: Some(6_000), ..Meter::default() });
    assert!(desk.available() <= 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_nothing_goes_before_what_it_says() {
    for (retry, reset, wait) in [
        (Some(7), None, 7),
        (None, Some(20), 20),
        (Some(7), Some(20), 20),
        (Some(30), Some(20), 30),
        (Some(7), Some(-20), 7),
        (Some(7), Some(1_000_000_000), 7),
        (Some(1_000_000), None, 3_600),
    ] {
        let mut desk = Desk::new(60);
        let at = |seconds: Option<i64>| seconds.map(|seconds| desk.now() + TimeDelta::seconds(seconds));
        let meter = Meter { retry_at: at(retry), reset: at(reset), ..refusal() };
        assert!(desk.take());
        desk.observe(&meter);
        assert_eq!((desk.available(), desk.ready_in()), (0, wait * 1_000), "{retry:?} {reset:?}");
        desk.wait(wait as f64 - 0.001);
        assert!(!desk.take());
        desk.wait(0.001);
        assert!(desk.take());
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_that_say_nothing_wait_longer_each_time() {
    let mut desk = Desk::new(60);
    for at_most in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        assert!(desk.take());
        desk.observe(&refusal());
        let wait = desk.ready_in();
        assert!((at_most / 2..=at_most).contains(&wait), "{wait} of {at_most}");
        desk.wait((wait + 1) as f64 / 1e3);
    }
    desk.wait(600.0);
    assert!(desk.take());
    desk.observe(&refusal());
    assert!(desk.ready_in() <= 5_000, "after a lull the story starts anew");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_nothing_is_no_leave_to_hammer() {
    let mut desk = Desk::new(60);
    assert!(desk.take());
    desk.observe(&Meter { retry_at: Some(desk.now()), ..refusal() });
    assert!(desk.ready_in() >= 2_500);
}

#[tokio::test(start_paused = true)]
async fn one_wave_of_refusals_counts_once() {
    let mut desk = Desk::new(60_000);
    (0..10).for_each(|_| assert!(desk.take()));
    (0..10).for_each(|_| desk.observe(&refusal()));
    assert!(desk.ready_in() <= 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_counts_without_a_429_too() {
    let mut desk = Desk::new(60);
    assert!(desk.take());
    desk.observe(&Meter { retry_at: Some(desk.now() + TimeDelta::seconds(12)), ..Meter::default() });
    assert_eq!(desk.ready_in(), 12_000);
}

#[tokio::test(start_paused = true)]
async fn a_million_a_minute_is_a_rate_like_any_other() {
    let mut desk = Desk::new(1_000_000);
    assert_eq!(desk.available(), 1_666);
    let mut spent = 0;
    for _ in 0..1_000 {
        while desk.take() {
            desk.observe(&Meter::default());
            spent += 1;
        }
        desk.wait(0.01);
    }
    assert!((166_000..=168_400).contains(&spent), "{spent} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn every_rate_makes_a_budget() {
    for rate in [0, 1, u32::MAX] {
        assert!(Desk::new(rate).take(), "{rate}");
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

    fn is_invented(&self) -> bool {
        true
    }
}

#[test]
fn a_clock_that_is_set_back_neither_stalls_nor_frees_us() {
    let noon: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let clock = Arc::new(Adjustable(std::sync::Mutex::new(noon)));
    let mut budget = Budget::new(clock.clone(), 60);
    let org = OrganisationId::new("org-1");
    let set = |instant| *clock.0.lock().expect("unpoisoned") = instant;
    assert_eq!(budget.take(&org, noon), Ok(()));
    budget.observe(
        &org,
        &Meter { exhausted: true, retry_at: Some(noon + TimeDelta::seconds(9)), ..Meter::default() },
        noon,
    );
    let earlier = noon - TimeDelta::days(1);
    set(earlier);
    assert_eq!(budget.take(&org, earlier), Err(earlier + TimeDelta::seconds(1)));
    set(earlier + TimeDelta::seconds(1));
    assert_eq!(budget.take(&org, earlier + TimeDelta::seconds(1)), Ok(()));
    assert!(budget.take(&org, earlier + TimeDelta::seconds(1)).is_err());
}
