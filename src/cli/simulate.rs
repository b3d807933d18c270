//! `simulate`: runs the simulated vendor as a separate server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::{Clock, ScaledClock, SharedClock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::phone::E164;
use crate::simulator::habits;
use crate::simulator::medium::SimulatedMedium;
use crate::simulator::settings::{AccessRules, ConversationOrder, ForeignTraffic, RefusedNumber, RetryAfter};
use crate::simulator::webhook::Webhook;
use crate::simulator::{Settings, Simulator};
use crate::wording::io_error;
use crate::zone::Zone;

use super::args::{ListOrderArg, RetryAfterForm, SimulateArgs, SimulatedTime};
use super::output::Output;
use super::{environment, signals, simulator_options};

pub(super) async fn simulate(args: &SimulateArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let first = settings(args)?;
    let others = (2..).zip(&args.organisations).map(|(number, text)| organisation(number, text, &first));
    let others = others.collect::<Result<Vec<_>, CommandError>>()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let organisations = std::iter::once(first).chain(others).collect();
    let running = Simulator::start_for_all(organisations, clock(&args.time), address).map_err(|error| {
        CommandError::Usage(format!("the simulator cannot start on {address}: {}", io_error(&error)))
    })?;
    if output.json {
        output.data(&format!("{}\n", serde_json::json!({ "base_url": running.base_url() })))?;
    } else {
        output.data(&format!("{}\n", running.base_url()))?;
        output.say(&format!(
            "simulating Annie; use it with ANNIE_BASE_URL={} callrounds run CAMPAIGN --rehearse; Ctrl-C stops it",
            running.base_url()
        ));
    }
    signals::stop_signal().await;
    running.stop().await;
    Ok(ExitStatus::Done)
}

fn clock(time: &SimulatedTime) -> SharedClock {
    match (time.at, time.speed) {
        (None, None) => Arc::new(WallClock),
        (at, speed) => Arc::new(ScaledClock::starting_at(at.unwrap_or_else(|| WallClock.now()), speed.unwrap_or(1.0))),
    }
}

fn settings(args: &SimulateArgs) -> Result<Settings, CommandError> {
    let mut settings = Settings { seed: args.seed, log: args.log.clone(), ..Settings::default() };
    settings.faults = simulator_options::faults(&args.faults)?;
    settings.refused = args.refused.iter().map(|text| refused_number(text)).collect::<Result<_, CommandError>>()?;
    settings.from_numbers = numbers("--from-number", &args.from_numbers)?;
    settings.allow_list = Some(numbers("--allow", &args.allowed)?).filter(|allowed| !allowed.is_empty());
    settings.list.lag = TimeDelta::seconds(args.list_lag.into());
    settings.list.order = match args.list_order {
        ListOrderArg::NewestFirst => ConversationOrder::NewestFirst,
        ListOrderArg::OldestFirst => ConversationOrder::OldestFirst,
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
        habits::apply_habit(&mut settings, habit)
            .map_err(|problem| CommandError::Usage(format!("--habit: {problem}")))?;
    }
    settings.wording.bot_style = args.bot_style;
    settings.webhook = args.webhook.as_deref().map(|url| webhook(url, args)).transpose()?;
    settings.network.latency = Duration::from_millis(args.latency);
    if let Some(requests) = args.requests_per_minute {
        settings.budget.requests = requests;
    }
    if let Some(name) = &args.timezone {
        settings.rules.zone =
            Zone::named(name).map_err(|problem| CommandError::Usage(format!("--timezone: {problem}")))?;
    }
    if let Some(path) = &args.people {
        settings.people = simulator_options::people(path)?;
    }
    if !args.api_keys.is_empty() {
        settings.access = AccessRules::from_keys(&args.api_keys);
    }
    Ok(settings)
}

/// Another organisation, `KEY` or `KEY=NUMBER,…`, with the settings of the first one but a call log of its own:
/// `calls.jsonl` becomes `calls.2.jsonl`.
fn organisation(number: usize, text: &str, first: &Settings) -> Result<Settings, CommandError> {
    let (key, caller_ids) = text.split_once('=').map_or((text, None), |(key, caller_ids)| (key, Some(caller_ids)));
    let texts: Vec<String> = caller_ids.into_iter().flat_map(|all| all.split(',')).map(str::to_owned).collect();
    let mut settings = first.clone();
    settings.from_numbers = numbers("--organisation", &texts)?;
    settings.access = AccessRules::from_keys(&[key.to_owned()]);
    key.clone_into(&mut settings.name);
    settings.log = first.log.as_ref().map(|log| log.with_extension(format!("{number}.jsonl")));
    Ok(settings)
}

/// The URL and the token of webhook deliveries.
fn webhook(url: &str, args: &SimulateArgs) -> Result<Webhook, CommandError> {
    let name = &args.webhook_token_env;
    let token = environment::variable(name).ok_or_else(|| {
        CommandError::Usage(format!("--webhook without a token: set {name} to the token of the deliveries"))
    })?;
    let webhook = Webhook::from_url(url, token.trim().into())
        .map_err(|problem| CommandError::Usage(format!("--webhook: {problem}")))?;
    Ok(Webhook { stops_after: args.webhook_stop_after, ..webhook })
}

/// Another program of the same organisation, with its own caller id; it calls numbers that no campaign calls.
fn other_software(every: u32) -> ForeignTraffic {
    let from = E164::parse("+13125550199").expect("a number in its own form");
    ForeignTraffic {
        every: TimeDelta::seconds(every.into()),
        backlog: 0,
        from,
        to: Vec::new(),
        medium: SimulatedMedium::Voice,
    }
}

fn refused_number(text: &str) -> Result<RefusedNumber, CommandError> {
    RefusedNumber::parse(text).map_err(|problem| CommandError::Usage(format!("--refuse: {problem}")))
}

fn numbers(option: &str, texts: &[String]) -> Result<Vec<E164>, CommandError> {
    let parse =
        |text: &String| E164::parse(text).map_err(|problem| CommandError::Usage(format!("{option}: {problem}")));
    texts.iter().map(parse).collect()
}
