//! The simulator as a client sees it over TCP, and its call log.

mod wire;

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use self::wire::{Answer, Seen, exchange};
use super::*;
use crate::clock::ScaledClock;
use crate::simulator::Fault;
use crate::simulator::settings::{
    AccessRules, BudgetRules, ConversationOrder, ListHabits, Network, OAuthClient, RetryAfter, Unfinished, Wording,
};

/// A simulator with a call log and a clock that moves only by `leap`.
struct Fixture {
    folder: TempDir,
    clock: Arc<ScaledClock>,
    running: Running,
}

impl Fixture {
    fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let start = "2026-11-24T15:00:00Z".parse().expect("an instant");
        let clock = Arc::new(ScaledClock::starting_at(start, 0.0));
        let running = Self::start(settings, folder.path(), &clock);
        Self { folder, clock, running }
    }

    fn start(settings: Settings, folder: &Path, clock: &Arc<ScaledClock>) -> Running {
        let settings = Settings { log: Some(folder.join("calls.jsonl")), ..settings };
        Simulator::start(settings, Arc::clone(clock) as SharedClock, "127.0.0.1:0".parse().expect("an address"))
            .expect("it starts")
    }

    fn with_faults(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| Fault::parse(fault).expect("a fault")).collect();
        let network = Network { slow_body_pause: Duration::from_millis(1), ..Network::default() };
        Self::new(Settings { faults, network, ..Settings::default() })
    }

    async fn get(&self, path: &str) -> Seen {
        exchange(self.running.address(), "GET", path, "any", "").await
    }

    async fn post(&self, path: &str, body: &Value) -> Seen {
        exchange(self.running.address(), "POST", path, "any", &body.to_string()).await
    }

    async fn call(&self, n: u32) -> Seen {
        self.post("/v1/calls", &call(n)).await
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("calls.jsonl")).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    }
}

fn call(n: u32) -> Value {
    json!({
        "fromNumber": "+13125550142",
        "toNumber": format!("+1312555{:04}", 100 + n),
        "patientInfo": { "firstName": "Zoë", "patientId": format!("P-{n}") },
        "context": "Due for a cleaning.",
    })
}

#[tokio::test]
async fn a_call_is_placed_and_read_to_its_end_at_both_roots() {
    for root in ["/v1", ""] {
        let fixture = Fixture::new(Settings::default());
        let placed = fixture.post(&format!("{root}/calls"), &call(1)).await.answer();
        assert_eq!(placed.status, 200);
        let id = placed.data()["conversationId"].as_str().expect("an id").to_string();
        let path = format!("{root}/conversations/{id}");
        let open = fixture.get(&path).await.answer().data();
        assert_eq!((&open["status"], &open["endTime"], &open["summary"]), (&json!("OPEN"), &Value::Null, &Value::Null));
        fixture.clock.skip(TimeDelta::minutes(10));
        let closed = fixture.get(&path).await.answer().data();
        assert_eq!((&closed["status"], &closed["toNumber"]), (&json!("CLOSED"), &json!("+13125550101")));
        assert_eq!((&closed["medium"], &closed["startTime"]), (&json!("VOICE"), &json!("2026-11-24T15:00:00.000Z")));
        for field in ["conversationTags", "topic", "summary", "actionsNeeded", "duration", "endTime", "sentiment"] {
            assert!(!closed[field].is_null(), "{field}");
        }
        let messages = fixture.get(&format!("{path}/messages")).await.answer().data();
        assert!(messages.is_array());
        assert_eq!(fixture.log().len(), 1);
    }
}

#[tokio::test]
async fn the_log_has_the_call_before_the_response_leaves() {
    let fixture = Fixture::new(Settings::default());
    for n in 1..=20 {
        let id = fixture.call(n).await.answer().data()["conversationId"].clone();
        let log = fixture.log();
        assert_eq!(log.len(), n as usize);
        assert_eq!(log[n as usize - 1]["conversationId"], id);
        assert_eq!(log[n as usize - 1]["patientId"], json!(format!("P-{n}")));
    }
}

#[tokio::test]
async fn a_refusal_has_a_status_a_reason_and_no_line_in_the_log() {
    let fixture = Fixture::new(Settings { allow_list: Some(Vec::new()), ..Settings::default() });
    let cases = [(json!({ "toNumber": "+13125550101" }), 400), (json!([]), 400), (call(1), 422)];
    for (body, status) in cases {
        let answer = fixture.post("/v1/calls", &body).await.answer();
        assert_eq!((answer.status, &answer.json()["success"]), (status, &json!(false)));
        assert!(answer.json()["message"].is_string());
    }
    assert_eq!(fixture.log(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_text_conversation_has_another_medium() {
    let fixture = Fixture::new(Settings::default());
    let mut sms = call(1);
    assert_eq!(fixture.post("/v1/sms", &sms).await.answer().status, 400);
    sms["message"] = json!("Hello from your dentist.");
    for status in [200, 409] {
        assert_eq!(fixture.post("/v1/sms", &sms).await.answer().status, status);
    }
    let listed = fixture.get("/v1/conversations").await.answer().data();
    assert_eq!(listed["conversations"][0]["medium"], json!("SMS"));
    assert_eq!(fixture.log()[0]["medium"], json!("sms"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let fixture = Fixture::new(Settings::default());
    let unknown = "/v1/conversations/00000000-0000-4000-8000-000000000000";
    for path in ["/v2/calls", unknown, &format!("{unknown}/messages")] {
        assert_eq!(fixture.get(path).await.answer().status, 404, "{path}");
    }
    assert_eq!(fixture.post(&format!("{unknown}/close"), &json!({})).await.answer().status, 404);
    assert_eq!(fixture.get("/v1/calls").await.answer().status, 405);
}

#[tokio::test]
async fn closing_a_conversation_returns_its_status() {
    let fixture = Fixture::new(Settings::default());
    let id = fixture.call(1).await.answer().data()["conversationId"].as_str().expect("an id").to_string();
    let path = format!("/v1/conversations/{id}/close");
    for (wait, status) in [(5, "CLOSING"), (0, "CLOSING"), (60, "CLOSED")] {
        fixture.clock.skip(TimeDelta::seconds(wait));
        let answer = fixture.post(&path, &json!({ "skipNotifications": false })).await.answer();
        assert_eq!(answer.data()["status"], json!(status));
    }
}

#[tokio::test]
async fn numbers_and_bots_belong_together() {
    let fixture = Fixture::new(Settings::default());
    fixture.call(1).await.answer();
    let numbers = fixture.get("/v1/phone-numbers").await.answer().data();
    let bots = fixture.get("/v1/bots").await.answer().data();
    assert_eq!(numbers["phoneNumbers"][0]["number"], json!("+13125550142"));
    assert_eq!(numbers["phoneNumbers"][0]["outbound"], json!(true));
    assert_eq!(numbers["phoneNumbers"][0]["botId"], bots["bots"][0]["id"]);
}

/// Checks one fault: what the client sees, and how many lines the log has afterwards.
async fn check_fault(kind: &str, expected: impl Fn(&Seen) -> bool, lines: usize) {
    let fixture = Fixture::with_faults(&[&format!("{kind}=1")]);
    let seen = fixture.call(1).await;
    assert!(expected(&seen), "{kind}: {:.300}", format!("{seen:?}"));
    let log = fixture.log();
    assert_eq!(log.len(), lines, "{kind}");
    assert!(log.iter().all(|line| line["answered"] == json!(kind)), "{kind}: {log:?}");
}

fn status(expected: u16) -> impl Fn(&Seen) -> bool {
    move |seen| matches!(seen, Seen::Answer(Answer { status, is_complete: true, .. }) if *status == expected)
}

#[tokio::test]
async fn every_fault_has_its_effect() {
    check_fault("reset-before", |seen| matches!(seen, Seen::Reset), 0).await;
    check_fault("reset-after", |seen| matches!(seen, Seen::Reset), 1).await;
    check_fault("500-before", status(500), 0).await;
    check_fault("500-after", status(500), 1).await;
    check_fault("timeout-after", |seen| matches!(seen, Seen::Silence), 1).await;
    check_fault("429", status(429), 0).await;
    check_fault(
        "truncated",
        |seen| matches!(seen, Seen::Answer(Answer { status: 200, is_complete: false, body, .. }) if !body.is_empty()),
        1,
    )
    .await;
    check_fault("bad-json", |seen| matches!(seen, Seen::Answer(Answer { status: 200, is_complete: true, body, .. }) if serde_json::from_slice::<Value>(body).is_err()), 1).await;
    check_fault("id-missing", |seen| matches!(seen, Seen::Answer(answer) if answer.status == 200 && answer.json()["success"] == true && answer.data()["conversationId"].is_null()), 1).await;
    check_fault(
        "slow-body",
        |seen| matches!(seen, Seen::Answer(answer) if answer.is_complete && answer.data()["conversationId"].is_string()),
        1,
    )
    .await;
    check_fault("big-body", |seen| matches!(seen, Seen::Answer(answer) if answer.is_complete && answer.body.len() > 50_000_000 && answer.data()["conversationId"].is_string()), 1).await;
    check_fault("307", |seen| matches!(seen, Seen::Answer(answer) if answer.status == 307 && answer.header("location") == Some("/v1/calls")), 0).await;
}

#[tokio::test]
async fn a_gateway_error_does_not_tell_whether_the_call_was_placed() {
    for kind in ["502", "503", "504"] {
        let fixture = Fixture::with_faults(&[&format!("{kind}=1")]);
        for n in 1..=20 {
            let answer = fixture.call(n).await.answer();
            assert_eq!(answer.status.to_string(), kind);
            assert_eq!(answer.header("content-type"), Some("text/html"));
        }
        assert!((3..=17).contains(&fixture.log().len()), "{kind}: {} of 20", fixture.log().len());
    }
}

#[tokio::test]
async fn a_slow_body_is_slow() {
    let fixture = Fixture::with_faults(&["slow-body=1"]);
    let before = Instant::now();
    let answer = fixture.call(1).await.answer();
    assert!(before.elapsed() >= Duration::from_millis(answer.body.len() as u64));
}

#[tokio::test]
async fn connections_are_really_refused_for_a_while() {
    let fixture = Fixture::with_faults(&["refuse=1"]);
    assert_eq!(fixture.call(1).await.answer().status, 200);
    assert!(fixture.log()[0]["answered"].is_null());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(matches!(fixture.get("/v1/bots").await, Seen::Refused));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fixture.get("/v1/bots").await.answer().status, 200);
}

#[tokio::test]
async fn faults_of_reads_do_not_hit_calls() {
    let fixture = Fixture::with_faults(&["reset-before@reads=1"]);
    assert_eq!(fixture.call(1).await.answer().status, 200);
    assert!(matches!(fixture.get("/v1/conversations").await, Seen::Reset));
    let fixture = Fixture::with_faults(&["bad-json=1"]);
    fixture.call(1).await.answer();
    assert_eq!(fixture.get("/v1/conversations").await.answer().data()["pagination"]["totalCount"], json!(1));
}

#[tokio::test]
async fn every_response_has_the_rate_limit_headers() {
    let fixture =
        Fixture::new(Settings { budget: BudgetRules { requests: 3, ..BudgetRules::default() }, ..Settings::default() });
    fixture.clock.skip(TimeDelta::seconds(20));
    for (remaining, status) in [("2", 200), ("1", 200), ("0", 200), ("0", 429)] {
        let answer = fixture.get("/v1/bots").await.answer();
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (status, Some(remaining)));
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("x-ratelimit-reset"), Some("1795532460"), "15:01:00");
        assert_eq!(answer.header("date"), Some("Tue, 24 Nov 2026 15:00:20 GMT"));
    }
    assert_eq!(fixture.call(1).await.answer().header("retry-after"), Some("40"));
    assert_eq!(fixture.log(), Vec::<Value>::new());
    fixture.clock.skip(TimeDelta::seconds(40));
    assert_eq!(fixture.call(1).await.answer().status, 200);
}

#[tokio::test]
async fn retry_after_takes_every_form() {
    let cases = [
        (RetryAfter::Absent, None),
        (RetryAfter::Seconds, Some("60")),
        (RetryAfter::HttpDate, Some("Tue, 24 Nov 2026 15:01:00 GMT")),
        (RetryAfter::Garbage, Some("soon")),
    ];
    for (retry_after, expected) in cases {
        let budget = BudgetRules { requests: 0, retry_after, ..BudgetRules::default() };
        let fixture = Fixture::new(Settings { budget, ..Settings::default() });
        let answer = fixture.get("/v1/bots").await.answer();
        assert_eq!((answer.status, answer.header("retry-after")), (429, expected));
    }
}

fn strict() -> Settings {
    let access = AccessRules {
        keys: Some(vec![SecretString::from("annie-sk-v1-good")]),
        clients: Some(vec![OAuthClient { id: "practice".into(), secret: SecretString::from("s3cret") }]),
        expires_in: TimeDelta::hours(1),
    };
    Settings { access, ..Settings::default() }
}

#[tokio::test]
async fn without_valid_credentials_nothing_happens_and_nothing_is_charged() {
    let fixture = Fixture::new(strict());
    let address = fixture.running.address();
    for (token, status, remaining) in [("bad", 401, "60"), ("annie-sk-v1-good", 200, "59"), ("", 401, "59")] {
        let body = call(1).to_string();
        let answer = exchange(address, "POST", "/v1/calls", token, &body).await.answer();
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (status, Some(remaining)), "{token}");
    }
    assert_eq!(fixture.log().len(), 1);
}

#[tokio::test]
async fn a_token_is_issued_used_and_expires() {
    let fixture = Fixture::new(strict());
    let address = fixture.running.address();
    let ask = |secret| json!({ "grant_type": "client_credentials", "client_id": "practice", "client_secret": secret });
    assert_eq!(fixture.post("/oauth/token", &ask("guess")).await.answer().status, 401);
    let issued = fixture.post("/oauth/token", &ask("s3cret")).await.answer();
    assert_eq!(issued.json()["expires_in"], json!(3600));
    assert_eq!(issued.header("x-ratelimit-remaining"), Some("60"));
    let token = issued.json()["access_token"].as_str().expect("a token").to_string();
    for (wait, status) in [(0, 200), (3_599, 200), (1, 401)] {
        fixture.clock.skip(TimeDelta::seconds(wait));
        assert_eq!(exchange(address, "GET", "/v1/bots", &token, "").await.answer().status, status);
    }
}

#[tokio::test]
async fn pages_shift_while_calls_are_placed() {
    let fixture = Fixture::new(Settings::default());
    for n in 1..=4 {
        fixture.call(n).await.answer();
        fixture.clock.skip(TimeDelta::seconds(1));
    }
    let ids = |page: &Value| -> Vec<Value> {
        page["conversations"].as_array().expect("a page").iter().map(|one| one["conversationId"].clone()).collect()
    };
    let first = fixture.get("/v1/conversations?offset=0&limit=2&includeArchived=false").await.answer().data();
    fixture.call(5).await.answer();
    let second = fixture.get("/v1/conversations?offset=2&limit=2").await.answer().data();
    assert_eq!(second["pagination"], json!({ "offset": 2, "limit": 2, "totalCount": 5 }));
    assert_eq!(ids(&first)[1], ids(&second)[0], "a newer call pushes the last one of page 1 onto page 2");
}

#[tokio::test]
async fn order_lag_and_defaults_of_the_list() {
    let list =
        ListHabits { order: ConversationOrder::OldestFirst, lag: TimeDelta::seconds(30), ..ListHabits::default() };
    let fixture = Fixture::new(Settings { list, ..Settings::default() });
    for n in 1..=22 {
        fixture.call(n).await.answer();
        fixture.clock.skip(TimeDelta::seconds(1));
    }
    let total = |page: &Value| page["pagination"]["totalCount"].clone();
    assert_eq!(total(&fixture.get("/v1/conversations").await.answer().data()), json!(0));
    fixture.clock.skip(TimeDelta::seconds(30));
    let page = fixture.get("/v1/conversations").await.answer().data();
    let listed = page["conversations"].as_array().expect("a page");
    assert_eq!((total(&page), listed.len()), (json!(22), 20));
    assert_eq!(listed[0]["conversationId"], fixture.log()[0]["conversationId"]);
}

#[tokio::test]
async fn an_invalid_page_query_is_refused() {
    let fixture = Fixture::new(Settings::default());
    for query in ["limit=0", "limit=101", "offset=-1", "limit=many"] {
        assert_eq!(fixture.get(&format!("/v1/conversations?{query}")).await.answer().status, 400, "{query}");
    }
}

#[tokio::test]
async fn responses_have_the_form_of_the_settings() {
    let wording = Wording {
        voice_medium: "PHONE".into(),
        odd_fields: false,
        unfinished: Unfinished::Missing,
        ..Wording::default()
    };
    let fixture = Fixture::new(Settings { wording, ..Settings::default() });
    fixture.call(1).await.answer();
    let answer = fixture.get("/v1/conversations").await.answer().json();
    let one = answer["data"]["conversations"][0].as_object().expect("a conversation");
    assert_eq!(one["medium"], json!("PHONE"));
    assert!(!one.contains_key("summary") && !one.contains_key("sentiment"), "{one:?}");
    assert!(answer.get("apiRevision").is_none());
}

#[tokio::test]
async fn a_restarted_simulator_continues_from_its_log() {
    let Fixture { folder, clock, running } = Fixture::new(Settings::default());
    let placed = exchange(running.address(), "POST", "/v1/calls", "any", &call(1).to_string()).await.answer();
    running.stop().await;
    clock.skip(TimeDelta::minutes(10));
    let running = Fixture::start(Settings::default(), folder.path(), &clock);
    assert_eq!(running.placed(), 1);
    let fixture = Fixture { folder, clock, running };
    let id = placed.data()["conversationId"].as_str().expect("an id").to_string();
    let conversation = fixture.get(&format!("/v1/conversations/{id}")).await.answer();
    assert_eq!(conversation.data()["status"], json!("CLOSED"));
    assert_eq!(fixture.call(1).await.answer().status, 422, "its caps continue too");
    assert_eq!(fixture.call(2).await.answer().status, 200);
    assert_ne!(fixture.log()[1]["conversationId"], fixture.log()[0]["conversationId"]);
}

#[tokio::test]
async fn connections_can_be_kept() {
    let network = Network { keep_alive: true, ..Network::default() };
    let fixture = Fixture::new(Settings { network, ..Settings::default() });
    let mut stream = TcpStream::connect(fixture.running.address()).await.expect("a connection");
    for _ in 0..2 {
        stream.write_all(b"GET /bots HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\r\n").await.expect("sent");
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.expect("an answer");
        assert!(bytes[..length].starts_with(b"HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn a_long_body_is_refused_with_a_response() {
    let fixture = Fixture::new(Settings::default());
    for (length, status) in [(1_000_000, 400), (1_100_000, 413), (8_000_000, 413)] {
        let body = json!({ "context": "x".repeat(length) });
        assert_eq!(fixture.post("/v1/calls", &body).await.answer().status, status, "{length}");
    }
}

#[tokio::test]
async fn latency_delays_a_response() {
    let network = Network { latency: Duration::from_millis(80), ..Network::default() };
    let fixture = Fixture::new(Settings { network, ..Settings::default() });
    let before = Instant::now();
    fixture.get("/v1/bots").await.answer();
    assert!(before.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn the_simulator_listens_on_loopback_addresses_only() {
    let clock: SharedClock = Arc::new(crate::clock::WallClock);
    let error = Simulator::start(Settings::default(), clock, "0.0.0.0:0".parse().expect("an address"));
    assert_eq!(error.expect_err("not loopback").kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_stopped_or_dropped_simulator_refuses_connections() {
    let fixture = Fixture::with_faults(&["timeout-after=1"]);
    let address = fixture.running.address();
    let Fixture { running, folder, clock } = fixture;
    let hanging = tokio::spawn(async move { exchange(address, "POST", "/calls", "any", &call(1).to_string()).await });
    let acted = async {
        while running.placed() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), acted).await.expect("the call is placed");
    running.stop().await;
    assert!(matches!(exchange(address, "GET", "/bots", "any", "").await, Seen::Refused));
    assert!(timeout(Duration::from_secs(1), hanging).await.is_ok(), "a request in flight ends with it");

    let running = Fixture::start(Settings::default(), folder.path(), &clock);
    let address = running.address();
    drop(running);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(matches!(exchange(address, "GET", "/bots", "any", "").await, Seen::Refused));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn twenty_thousand_requests_at_high_speed() {
    let rules =
        crate::simulator::rules::VendorRules::none(crate::zone::Zone::named("America/Chicago").expect("a zone"));
    let budget = BudgetRules { requests: u32::MAX, ..BudgetRules::default() };
    let fixture = Arc::new(Fixture::new(Settings { rules, budget, ..Settings::default() }));
    let before = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..8 {
        let fixture = Arc::clone(&fixture);
        workers.spawn(async move {
            for n in 0..2_500 {
                let seen = if n % 2 == 0 {
                    fixture.call(worker).await
                } else {
                    fixture.get("/v1/conversations?limit=10").await
                };
                assert_eq!(seen.answer().status, 200);
            }
        });
    }
    workers.join_all().await;
    assert_eq!(fixture.log().len(), 10_000);
    assert!(before.elapsed() < Duration::from_mins(1), "{:?}", before.elapsed());
}
