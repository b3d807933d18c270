//! `simulate`: the simulated vendor as a server of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::{Clock, SharedClock, TravelClock, WallClock};
use crate::error::{Exit, Stop};
use crate::phone::E164;
use crate::simulator::conversation::Medium;
use crate::simulator::habits;
use crate::simulator::settings::{AccessRules, Foreign, Order, RefusedNumber, RetryAfter};
use crate::simulator::webhook::Webhook;
use crate::simulator::{Fault, People, Settings, Simulator};
use crate::visible::Shown;
use crate::zone::Zone;

use super::api::from_environment;
use super::args::{ListOrder, RetryAfterForm, Simulate, Travel};
use super::output::Output;

pub(super) async fn simulate(args: &Simulate, output: Output) -> Result<Exit, Stop> {
    let own = settings(args)?;
    let others = (2..).zip(&args.organisations).map(|(number, text)| organisation(number, text, &own));
    let others = others.collect::<Result<Vec<_>, Stop>>()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let organisations = std::iter::once(own).chain(others).collect();
    let running = Simulator::start_for_all(organisations, clock(&args.travel), address)
        .map_err(|error| Stop::Usage(format!("the simulator cannot start on {address}: {error}")))?;
    if output.json {
        output.data(&format!("{}\n", serde_json::json!({ "base_url": running.base_url() })))?;
    } else {
        output.data(&format!("{}\n", running.base_url()))?;
        output.say(&format!(
            "simulating Annie; use it with ANNIE_BASE_URL={} callrounds run CAMPAIGN --rehearse; Ctrl-C stops it",
            running.base_url()
        ));
    }
    super::placing::stop_signal().await;
    running.stop().await;
    Ok(Exit::Done)
}

fn clock(travel: &Travel) -> SharedClock {
    match (travel.at, travel.speed) {
        (None, None) => Arc::new(WallClock),
        (at, speed) => Arc::new(TravelClock::starting_at(at.unwrap_or_else(|| WallClock.now()), speed.unwrap_or(1.0))),
    }
}

fn settings(args: &Simulate) -> Result<Settings, Stop> {
    let mut settings = Settings { seed: args.seed, log: args.log.clone(), ..Settings::default() };
    settings.faults = faults(&args.faults)?;
    settings.refused = args.refused.iter().map(|text| refused(text)).collect::<Result<_, Stop>>()?;
    settings.from_numbers = numbers("--from-number", &args.from_numbers)?;
    settings.allow_list = Some(numbers("--allow", &args.allowed)?).filter(|allowed| !allowed.is_empty());
    settings.list.lag = TimeDelta::seconds(args.list_lag.into());
    settings.list.order = match args.list_order {
        ListOrder::NewestFirst => Order::NewestFirst,
        ListOrder::OldestFirst => Order::OldestFirst,
    };
    settings.budget.used_by_others = args.other_requests;
    settings.budget.retry_after = match args.retry_after {
        RetryAfterForm::Absent => RetryAfter::Absent,
        RetryAfterForm::Seconds => RetryAfter::Seconds,
        RetryAfterForm::Date => RetryAfter::HttpDate,
        RetryAfterForm::Garbage => RetryAfter::Garbage,
    };
    settings.list.foreign = args.other_calls_every.map(other_software).into_iter().collect();
    for habit in &args.habits {
        habits::take_on(&mut settings, habit).map_err(|problem| Stop::Usage(format!("--habit: {problem}")))?;
    }
    settings.webhook = args.webhook.as_deref().map(|url| webhook(url, args)).transpose()?;
    settings.network.latency = Duration::from_millis(args.latency);
    if let Some(requests) = args.requests_per_minute {
        settings.budget.requests = requests;
    }
    if let Some(name) = &args.timezone {
        settings.rules.zone = Zone::named(name).map_err(|problem| Stop::Usage(format!("--timezone: {problem}")))?;
    }
    if let Some(path) = &args.people {
        settings.people = people(path)?;
    }
    if !args.api_keys.is_empty() {
        settings.access = AccessRules::of_keys(&args.api_keys);
    }
    Ok(settings)
}

/// Another organisation, `KEY` or `KEY=NUMBER,…`: all else is as with the first, but the people and the log, which are its own: `calls.jsonl` becomes `calls.2.jsonl`.
fn organisation(number: usize, text: &str, first: &Settings) -> Result<Settings, Stop> {
    let (key, numbered) = text.split_once('=').map_or((text, None), |(key, numbered)| (key, Some(numbered)));
    let texts: Vec<String> = numbered.into_iter().flat_map(|all| all.split(',')).map(str::to_owned).collect();
    let mut settings = first.clone();
    settings.from_numbers = numbers("--organisation", &texts)?;
    settings.access = AccessRules::of_keys(&[key.to_owned()]);
    key.clone_into(&mut settings.name);
    settings.log = first.log.as_ref().map(|log| log.with_extension(format!("{number}.jsonl")));
    Ok(settings)
}

/// Where deliveries go, and with which token.
fn webhook(url: &str, args: &Simulate) -> Result<Webhook, Stop> {
    let name = &args.webhook_token_env;
    let token = from_environment(name)
        .ok_or_else(|| Stop::Usage(format!("--webhook without a token: set {name} to what its deliveries bear")))?;
    let webhook =
        Webhook::at(url, token.trim().into()).map_err(|problem| Stop::Usage(format!("--webhook: {problem}")))?;
    Ok(Webhook { stops_after: args.webhook_stop_after, ..webhook })
}

/// Another program of the same organisation, with a number of its own; it calls people whom nobody else does.
fn other_software(every: u32) -> Foreign {
    let from = E164::parse("+13125550199").expect("a number in its own form");
    Foreign { every: TimeDelta::seconds(every.into()), backlog: 0, from, to: Vec::new(), medium: Medium::Voice }
}

/// Faults as they are written, `KIND=SHARE`.
pub(super) fn faults(texts: &[String]) -> Result<Vec<Fault>, Stop> {
    texts.iter().map(|text| Fault::parse(text).map_err(|problem| Stop::Usage(problem.to_string()))).collect()
}

/// A number that is refused.
fn refused(text: &str) -> Result<RefusedNumber, Stop> {
    RefusedNumber::parse(text).map_err(|problem| Stop::Usage(format!("--refuse: {problem}")))
}

/// People who follow a script.
pub(super) fn people(path: &std::path::Path) -> Result<People, Stop> {
    People::read(path).map_err(|problem| Stop::Usage(format!("{}: {problem}", path.shown())))
}

fn numbers(option: &str, texts: &[String]) -> Result<Vec<E164>, Stop> {
    let parse = |text: &String| E164::parse(text).map_err(|problem| Stop::Usage(format!("{option}: {problem}")));
    texts.iter().map(parse).collect()
}
