//! The world: every refusal, the list, and the same world again after a restart.

use super::*;
use crate::simulator::medium::SimulatedMedium;
use crate::simulator::people::{Behaviour, Scripted, Weights};
use crate::simulator::rules::VendorRules;
use crate::simulator::settings::ListHabits;
use crate::zone::Zone;

const FROM: &str = "+13125550142";

/// 9 AM in Chicago, on a Tuesday.
fn morning() -> DateTime<Utc> {
    "2026-11-24T15:00:00Z".parse().expect("an instant")
}

fn after(seconds: i64) -> DateTime<Utc> {
    morning() + TimeDelta::seconds(seconds)
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a good number")
}

fn patient(n: u32) -> String {
    format!("+1312555{:04}", 100 + n)
}

fn call(n: u32) -> PlaceCall {
    PlaceCall { from_number: FROM.into(), to_number: patient(n), ..PlaceCall::default() }
}

fn world(settings: Settings) -> World {
    World::new(settings, morning())
}

/// Settings under which calls may be placed at any time.
fn without_rules() -> Settings {
    Settings { rules: VendorRules::none(Zone::named("America/Chicago").expect("a zone")), ..Settings::default() }
}

#[test]
fn every_rule_refuses_its_own_case_and_no_other() {
    let inbound = "+13125550199";
    let settings = || Settings {
        from_numbers: vec![number(FROM)],
        inbound_numbers: vec![number(inbound)],
        allow_list: Some(vec![number(&patient(1)), number(&patient(2))]),
        weights: Weights::always(Behaviour::Voicemail),
        ..Settings::default()
    };
    let from = |number: &str| PlaceCall { from_number: number.into(), ..call(1) };
    let day = 24 * 3600;
    let cases = [
        ("a good call", 0, call(1), Ok(())),
        ("no number", 0, from("312"), Err(CallRefusal::Malformed("fromNumber is not an E.164 number"))),
        ("an unknown number", 0, from("+13125550177"), Err(CallRefusal::FromNumber)),
        ("an inbound number", 0, from(inbound), Err(CallRefusal::FromNumber)),
        ("not on the allow-list", 0, call(3), Err(CallRefusal::NotAllowed)),
        ("before nine", -1, call(1), Err(CallRefusal::OutsideHours)),
        ("the same number an hour after", 4 * day + 3600, call(2), Err(CallRefusal::TooSoon)),
        ("the same number a day after", 5 * day, call(2), Ok(())),
        (
            "a malformed call before nine",
            -1,
            from("312"),
            Err(CallRefusal::Malformed("fromNumber is not an E.164 number")),
        ),
    ];
    for (name, at, call_made, expected) in cases {
        let mut world = world(settings());
        world.place(after(4 * day), &call(2)).expect("the earlier call");
        assert_eq!(world.place(after(at), &call_made).map(|_| ()), expected, "{name}");
    }
}

#[test]
fn texts_and_calls_share_the_limits_of_a_number() {
    let sms = |n| PlaceSms { call: call(n), message: "Hello.".into() };
    let mut world = world(Settings::default());
    let id = world.place_text(morning(), &sms(1)).expect("sent");
    assert_eq!(world.conversation(morning(), &id).map(|view| view.medium), Some(SimulatedMedium::Sms));
    assert_eq!(world.place_text(after(9), &sms(1)), Err(CallRefusal::Sending));
    assert_eq!(world.place_text(after(10), &sms(1)), Err(CallRefusal::TooSoon));
    assert_eq!(world.place(after(9), &call(1)), Err(CallRefusal::TooSoon));
    assert_eq!(world.place_text(after(13 * 3600), &sms(2)), Err(CallRefusal::OutsideHours));
}

#[test]
fn a_refused_call_leaves_no_trace() {
    let mut world = world(Settings::default());
    world.place(morning(), &call(1)).expect("placed");
    assert_eq!(world.place(after(60), &call(1)), Err(CallRefusal::TooSoon));
    assert_eq!(world.placed(), 1);
    assert_eq!(world.list(after(60), &ListQuery::default()).total, Some(1));
    assert_eq!(world.place(after(24 * 3600), &call(1)).map(|_| ()), Ok(()));
}

#[test]
fn ids_are_uuids_and_follow_from_the_seed_the_count_and_the_instant() {
    let place = |seed, at| {
        let mut world = world(Settings { seed, ..Settings::default() });
        (1..=3).map(|n| world.place(at, &call(n)).expect("placed")).collect::<Vec<_>>()
    };
    assert_eq!(place(7, morning()), place(7, morning()));
    assert_ne!(place(7, morning()), place(8, morning()));
    let tomorrow = place(7, morning() + TimeDelta::days(1));
    assert!(place(7, morning()).iter().all(|id| !tomorrow.contains(id)), "one ledger may meet both");
    assert!(place(7, morning()).iter().all(|id| uuid::Uuid::parse_str(id.as_str()).is_ok()));
}

#[test]
fn a_persons_behaviour_does_not_depend_on_earlier_calls_to_others() {
    let summaries = |order: &[u32]| {
        let mut world = world(Settings::default());
        let ids: Vec<_> = order.iter().map(|n| (*n, world.place(morning(), &call(*n)).expect("placed"))).collect();
        let summary = |id| world.conversation(after(3600), id).expect("known").transcript.expect("closed").summary;
        let mut summaries: Vec<_> = ids.iter().map(|(n, id)| (*n, summary(id))).collect();
        summaries.sort_unstable();
        summaries
    };
    assert_eq!(summaries(&[1, 2, 3, 4, 5]), summaries(&[5, 3, 1, 2, 4]));
}

#[test]
fn a_script_is_followed_call_by_call() {
    let mut settings = without_rules();
    let scripted = |behaviour, seconds| Scripted { behaviour, seconds: Some(seconds) };
    settings
        .people
        .set_script(number(&patient(1)), vec![scripted(Behaviour::Busy, 15), scripted(Behaviour::Books, 90)]);
    let mut world = world(settings);
    let durations = [0, 100, 200].map(|at| {
        let id = world.place(after(at), &call(1)).expect("placed");
        world.conversation(after(1_000), &id).and_then(|view| view.duration).expect("ended").num_seconds()
    });
    assert_eq!(durations, [15, 90, 90]);
}

/// The numbers of three calls, placed ten seconds apart, in the order of the list at `at`, and the list's total.
fn listed(list: ListHabits, at: i64, query: &ListQuery) -> (Vec<usize>, u64) {
    let mut world = world(Settings { list, ..without_rules() });
    let ids: Vec<_> = (1..=3).map(|n| world.place(after(i64::from(n) * 10), &call(n)).expect("placed")).collect();
    let page = world.list(after(at), query);
    let number_of = |view: &ConversationView| ids.iter().position(|id| *id == view.id).expect("one of the three") + 1;
    (page.conversations.iter().map(number_of).collect(), page.total.expect("a total"))
}

#[test]
fn the_list_has_an_order_pages_and_a_lag() {
    let newest = ListHabits::default;
    let oldest = || ListHabits { order: ConversationOrder::OldestFirst, ..newest() };
    let lagging = || ListHabits { lag: TimeDelta::seconds(15), ..newest() };
    let page = |offset, limit| ListQuery { offset, limit, ..ListQuery::default() };
    let cases = [
        (newest(), 30, page(0, 100), vec![3, 2, 1], 3),
        (oldest(), 30, page(0, 100), vec![1, 2, 3], 3),
        (newest(), 30, page(1, 1), vec![2], 3),
        (oldest(), 30, page(2, 5), vec![3], 3),
        (newest(), 30, page(3, 5), vec![], 3),
        (newest(), 30, page(u64::MAX, 5), vec![], 3),
        (lagging(), 30, page(0, 100), vec![1], 1),
        (lagging(), 44, page(0, 100), vec![2, 1], 2),
        (lagging(), 45, page(0, 100), vec![3, 2, 1], 3),
    ];
    for (list, at, query, expected, total) in cases {
        assert_eq!(listed(list.clone(), at, &query), (expected, total), "{list:?} {query:?} at {at}");
    }
}

#[test]
fn the_list_is_the_organisations_and_the_bots() {
    let mut world = world(Settings::default());
    world.place(morning(), &call(1)).expect("placed");
    let (organisation, bot) = (Some(world.organisation().to_string()), Some(world.bots()[0].id.clone()));
    let cases = [
        (organisation.clone(), bot.clone(), 1),
        (Some("another".to_string()), bot, 0),
        (organisation, Some("another".to_string()), 0),
    ];
    for (organisation, bot, total) in cases {
        let query = ListQuery { organisation, bot, ..ListQuery::default() };
        assert_eq!(world.list(morning(), &query).total, Some(total));
    }
}

#[test]
fn a_lagging_conversation_can_be_read_by_its_id() {
    let mut world =
        world(Settings { list: ListHabits { lag: TimeDelta::days(1), ..ListHabits::default() }, ..without_rules() });
    let id = world.place(morning(), &call(1)).expect("placed");
    assert_eq!(world.list(morning(), &ListQuery::default()).total, Some(0));
    assert!(world.conversation(morning(), &id).is_some());
}

#[test]
fn a_clock_that_goes_back_does_not_change_the_order() {
    let mut world = world(Settings {
        list: ListHabits { order: ConversationOrder::OldestFirst, ..ListHabits::default() },
        ..without_rules()
    });
    let first = world.place(after(100), &call(1)).expect("placed");
    let second = world.place(after(0), &call(2)).expect("placed");
    assert_eq!(world.list(after(50), &ListQuery::default()).total, Some(0));
    let ids: Vec<_> =
        world.list(after(100), &ListQuery::default()).conversations.into_iter().map(|view| view.id).collect();
    assert_eq!(ids, [first, second]);
}

fn with_foreign() -> Settings {
    let foreign = ForeignTraffic {
        medium: SimulatedMedium::Voice,
        every: TimeDelta::minutes(10),
        backlog: 5,
        from: number("+18475550100"),
        to: vec![number(&patient(1))],
    };
    Settings { list: ListHabits { foreign: vec![foreign], ..ListHabits::default() }, ..Settings::default() }
}

#[test]
fn foreign_calls_are_in_the_list_and_do_not_count_towards_caps() {
    let mut world = world(with_foreign());
    let ours = world.place(morning(), &call(1)).expect("their calls do not count");
    let page = world.list(after(6 * 3600), &ListQuery { limit: 100, ..ListQuery::default() });
    let total = page.total.expect("a total");
    assert!((40..=43).contains(&total), "{total}");
    assert!(page.conversations.windows(2).all(|pair| pair[0].started >= pair[1].started));
    let ours: Vec<_> = page.conversations.iter().filter(|view| view.id == ours).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(world.placed(), 1);
}

#[test]
fn foreign_calls_do_not_depend_on_when_the_list_is_read() {
    let all = ListQuery { limit: 100, ..ListQuery::default() };
    let mut often = world(with_foreign());
    for minute in 0..120 {
        often.list(after(minute * 60), &all);
    }
    assert_eq!(often.list(after(7_200), &all), world(with_foreign()).list(after(7_200), &all));
}

#[test]
fn a_replayed_world_is_the_same_world() {
    let mut original = world(Settings::default());
    let mut log = Vec::new();
    for (n, at) in (1..=40).map(|n| (n % 20, i64::from(n) * 3_700)) {
        let at = after(at);
        if let Ok(placed) = original.check_request(at, &call(n)) {
            original.record(&placed);
            log.push(placed);
        }
    }
    assert!(log.len() > 10, "{} calls placed", log.len());
    let mut replayed = World::replay(Settings::default(), log, after(0));
    let all = ListQuery { limit: 100, ..ListQuery::default() };
    for at in [0, 50_000, 200_000, 1_000_000].map(after) {
        assert_eq!(replayed.list(at, &all), original.list(at, &all));
    }
    for (n, at) in (0..60).map(|n| (n % 25, after(200_000 + i64::from(n) * 3_700))) {
        assert_eq!(replayed.place(at, &call(n)), original.place(at, &call(n)), "call {n} at {at}");
    }
}

#[test]
fn closing_ends_a_call_and_returns_the_status() {
    let mut world = world(Settings { weights: Weights::always(Behaviour::Books), ..Settings::default() });
    let id = world.place(morning(), &call(1)).expect("placed");
    assert_eq!(world.close(after(10), &id), Some(SimulatedStatus::Closing));
    assert_eq!(world.close(after(31), &id), Some(SimulatedStatus::Closed));
    assert_eq!(world.close(after(31), &ConversationId::new("unknown")), None);
}

#[test]
fn any_number_may_call_where_none_is_configured_and_is_listed_afterwards() {
    let mut unrestricted = world(Settings::default());
    assert_eq!(unrestricted.phone_numbers(), []);
    unrestricted.place(morning(), &call(1)).expect("placed");
    let listed: Vec<_> =
        unrestricted.phone_numbers().into_iter().map(|listed| (listed.number, listed.outbound)).collect();
    assert_eq!(listed, [(number(FROM), true)]);

    let inbound_numbers = vec![number("+13125550199")];
    let settings = Settings { from_numbers: vec![number(FROM)], inbound_numbers, ..Settings::default() };
    let listed: Vec<_> = world(settings).phone_numbers().into_iter().map(|listed| listed.outbound).collect();
    assert_eq!(listed, [true, false]);
}
