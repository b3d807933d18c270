//! The client against servers on this machine that misbehave in every way that a network can.

mod logs;
mod server;
mod tls;
mod tokens;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use self::server::{Act, Server, answer};
use super::*;
use crate::annie::{LostAnswer, Meter, Status};
use crate::clock::{TravelClock, WallClock};
use crate::entry::Content;

const ACCEPTED: &str = r#"{"success":true,"data":{"conversationId":"c-1"}}"#;

fn settings(base_url: String) -> ClientSettings {
    ClientSettings {
        base_url,
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(1),
        ..ClientSettings::new(Credentials::ApiKey(SecretString::from("annie-sk-v1-s3cret")))
    }
}

fn client(base_url: String) -> AnnieClient {
    AnnieClient::new(settings(base_url), Arc::new(WallClock)).expect("a client")
}

/// Long enough for a busy machine, and short where nothing is going to come.
fn patience(act: &Act) -> Duration {
    Duration::from_millis(if matches!(act, Act::AnswerThenHang(_)) { 300 } else { 10_000 })
}

/// A client of a server that does `act`.
fn client_of(server: &Server, act: &Act) -> AnnieClient {
    let settings = ClientSettings { timeout: patience(act), ..settings(server.base()) };
    AnnieClient::new(settings, Arc::new(WallClock)).expect("a client")
}

fn call() -> CallRequest {
    let number = |text| E164::parse(text).expect("a good number");
    let content = Content { context: Some("Prefers mornings.".to_owned()), ..Content::default() };
    CallRequest { from: number("+13125550142"), to: number("+13125550143"), content }
}

/// What one call to a server that does `act` brings, and proof that it got at most one request.
async fn placed(act: Act) -> Answer<Reply> {
    let server = Server::playing([act.clone()]).await;
    let answer = client_of(&server, &act).place(call()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.seen().len(), 1, "one attempt is one request");
    answer
}

#[tokio::test]
async fn an_accepted_call_is_one_request_as_the_contract_has_it() {
    let server = Server::playing([Act::Answer(answer(200, &[], ACCEPTED))]).await;
    let answer = client(server.base()).place(call()).await;
    assert_eq!(answer.value, Reply::Accepted(ConversationId::new("c-1")));
    let [request] = <[String; 1]>::try_from(server.seen()).expect("one request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("POST /v1/calls HTTP/1.1\r\n"), "{head}");
    for header in
        ["authorization: Bearer annie-sk-v1-s3cret", "content-type: application/json", "user-agent: callrounds/"]
    {
        assert!(head.contains(header), "{header} is missing of {head}");
    }
    assert_eq!(body, r#"{"fromNumber":"+13125550142","toNumber":"+13125550143","context":"Prefers mornings."}"#);
}

#[tokio::test]
async fn a_connection_that_never_came_about_placed_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    for base in [format!("http://{address}/v1"), "https://no-such-host.invalid/v1".to_owned()] {
        let answer = client(base).place(call()).await;
        assert_eq!(answer, Answer::bare(Reply::NotPlaced(NotPlaced::NeverConnected)));
    }
}

#[tokio::test]
async fn each_call_has_a_connection_of_its_own_though_the_server_would_keep_it() {
    // A second request on the kept connection would wait for ever.
    let server = Server::playing([Act::AnswerThenHang(answer(200, &[], ACCEPTED))]).await;
    let client = client(server.base());
    for _ in 0..3 {
        assert_eq!(client.place(call()).await.value, Reply::Accepted(ConversationId::new("c-1")));
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn whatever_breaks_after_the_connection_says_nothing() {
    let whole = answer(200, &[], ACCEPTED);
    let half = whole[..whole.len() - 20].to_vec();
    let head = whole[..20].to_vec();
    for (act, lost) in [
        (Act::ResetUnread, LostAnswer::Broken),
        (Act::Reset, LostAnswer::Broken),
        (Act::Answer(vec![]), LostAnswer::Broken),
        (Act::Answer(head.clone()), LostAnswer::Broken),
        (Act::Answer(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), LostAnswer::Broken),
        (Act::AnswerThenHang(vec![]), LostAnswer::Timeout),
        (Act::AnswerThenHang(head), LostAnswer::Timeout),
        (Act::AnswerThenHang(half.clone()), LostAnswer::Timeout),
        (Act::Answer(half.clone()), LostAnswer::Unreadable),
        (Act::AnswerThenReset(half), LostAnswer::Unreadable),
    ] {
        assert_eq!(placed(act.clone()).await.value, Reply::Lost(lost), "{act:?}");
    }
}

#[tokio::test]
async fn a_2xx_that_cannot_be_understood_says_nothing() {
    let long =
        format!(r#"{{"success":true,"data":{{"conversationId":"c-1"}},"more":"{}"}}"#, "x".repeat(REPLY_AT_MOST));
    for body in ["", "{", "OK", r#"{"success":true,"data":{}}"#, r#"{"success":true,"data":null}"#, &long] {
        let reply = placed(Act::Answer(answer(200, &[], body))).await.value;
        assert_eq!(reply, Reply::Lost(LostAnswer::Unreadable), "{}", &body[..body.len().min(80)]);
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..50 {
        endless.extend_from_slice(format!("10000\r\n{}\r\n", "x".repeat(0x10000)).as_bytes());
    }
    let reply = placed(Act::Answer(endless)).await.value;
    assert_eq!(reply, Reply::Lost(LostAnswer::Unreadable));
}

#[tokio::test]
async fn redirects_and_server_errors_are_neither_followed_nor_repeated() {
    for status in [301, 302, 303, 307, 308, 408, 409, 425, 500, 502, 503, 504] {
        let elsewhere = Server::playing([Act::Answer(answer(200, &[], ACCEPTED))]).await;
        let location = format!("location: {}/calls", elsewhere.base());
        let reply = placed(Act::Answer(answer(status, &[&location], ACCEPTED))).await.value;
        assert_eq!(reply, Reply::Lost(LostAnswer::Status(status)));
        assert_eq!(elsewhere.seen(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn refusals_are_not_repeated_and_placed_nothing() {
    for (status, message, concern) in [
        (400, "", Concern::Unknown),
        (401, "", Concern::Credentials),
        (403, "fromNumber is not outbound", Concern::OurNumber),
        (422, "Outside legal hours", Concern::Hours),
        (422, "24 hours between attempts", Concern::Cap),
    ] {
        let body = serde_json::json!({ "success": false, "message": message }).to_string();
        let reply = placed(Act::Answer(answer(status, &[], &body))).await.value;
        let refused = Refused { words: message.into(), ..Refused::bare(status, concern) };
        assert_eq!(reply, Reply::NotPlaced(NotPlaced::Refused(refused)));
    }
    let reply = placed(Act::Answer(answer(429, &[], ""))).await.value;
    assert_eq!(reply, Reply::NotPlaced(NotPlaced::RateLimited));
}

#[tokio::test]
async fn a_refusal_counts_even_if_its_body_breaks() {
    let whole = answer(422, &[], r#"{"message":"Outside legal hours"}"#);
    let reply = placed(Act::AnswerThenReset(whole[..whole.len() - 5].to_vec())).await.value;
    assert_eq!(reply, Reply::NotPlaced(NotPlaced::refused(422, Concern::Unknown)));
}

#[tokio::test]
async fn the_headers_come_with_the_answer() {
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    for (retry, at) in [
        (Some("retry-after: 20"), Some(20)),
        (Some("retry-after: Tue, 24 Nov 2026 12:00:45 GMT"), Some(45)),
        (Some("retry-after: soon"), None),
        (None, None),
    ] {
        let headers = ["x-ratelimit-limit: 60", "x-ratelimit-remaining: 0", "date: Tue, 24 Nov 2026 12:00:00 GMT"];
        let headers: Vec<_> = headers.into_iter().chain(retry).collect();
        let server = Server::playing([Act::Answer(answer(429, &headers, ""))]).await;
        // A clock that stands still, for all that this test takes.
        let clock = Arc::new(TravelClock::starting_at(now, 1e-9));
        let client = AnnieClient::new(settings(server.base()), clock).expect("a client");
        let answer = client.place(call()).await;
        assert_eq!(answer.date, Some(now));
        let meter = Meter {
            limit: Some(60),
            remaining: Some(0),
            reset: None,
            retry_at: at.map(|seconds| now + TimeDelta::seconds(seconds)),
            exhausted: true,
        };
        assert_eq!(answer.meter, meter, "{retry:?}");
    }
}

#[tokio::test]
async fn pages_and_conversations_are_read() {
    let conversation = r#"{"conversationId":"c-1","status":"CLOSED"}"#;
    let page =
        format!(r#"{{"success":true,"data":{{"conversations":[{conversation}],"pagination":{{"totalCount":1}}}}}}"#);
    let single = format!(r#"{{"success":true,"data":{conversation}}}"#);
    let numbers = r#"{"success":true,"data":{"phoneNumbers":[{"number":"+13125550142","outbound":true}]}}"#;
    let acts = [&page, &single, numbers].map(|body| Act::Answer(answer(200, &["connection: close"], body)));
    let server = Server::playing(acts).await;
    let client = client(server.base());
    let page = client.page(200, 500).await.value.expect("a page");
    assert_eq!((page.conversations.len(), page.nameless.len(), page.total), (1, 0, Some(1)));
    let id = ConversationId::new("c-1");
    assert_eq!(client.conversation(&id).await.value.map(|read| read.status), Ok(Status::Closed));
    assert_eq!(client.may_call_from(call().from).await.value, Ok(Some(true)));
    let lines: Vec<_> =
        server.seen().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/conversations?offset=200&limit=100&includeArchived=true HTTP/1.1",
            "GET /v1/conversations/c-1 HTTP/1.1",
            "GET /v1/phone-numbers HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn a_read_says_why_it_brought_nothing() {
    let page = |status| Act::Answer(answer(status, &[], "{}"));
    for (act, why) in [
        (page(200), Unread::Unreadable),
        (page(401), Unread::Unauthorised(401)),
        (page(403), Unread::Unauthorised(403)),
        (page(404), Unread::NotFound),
        (page(429), Unread::RateLimited),
        (page(307), Unread::Status(307)),
        (page(500), Unread::Status(500)),
        (Act::Reset, Unread::NoAnswer),
        (Act::AnswerThenHang(vec![]), Unread::NoAnswer),
        (Act::Answer(answer(200, &[], &"x".repeat(PAGE_AT_MOST + 1))), Unread::TooLong),
    ] {
        let server = Server::playing([act.clone()]).await;
        let read = client_of(&server, &act).conversation(&ConversationId::new("c-1")).await;
        assert_eq!(read.value, Err(why));
        assert_eq!(server.seen().len(), 1, "an API key has no other to try");
    }
}

#[tokio::test]
async fn an_id_is_one_segment_of_the_path_or_no_request_at_all() {
    let server = Server::playing([Act::Answer(answer(404, &[], ""))]).await;
    let client = client(server.base());
    for id in ["..", ".", "", "../../admin?x=y#z"] {
        assert_eq!(client.conversation(&ConversationId::new(id)).await.value, Err(Unread::NotFound), "{id}");
    }
    let [request] = <[String; 1]>::try_from(server.seen()).expect("one request");
    assert!(request.starts_with("GET /v1/conversations/..%2F..%2Fadmin%3Fx=y%23z HTTP/1.1"), "{request}");
}

#[test]
fn settings_that_would_expose_patients_are_refused() {
    for (base, said) in [
        ("http://api.helloannie.com/v1", "the API's address: plain http is for addresses on this machine only"),
        ("https://me:s3cret@api.helloannie.com/v1", "the API's address: an address here has no user name"),
        ("annie", "the API's address: not an address in the form https://api.helloannie.com/v1"),
    ] {
        let problem = AnnieClient::new(settings(base.to_owned()), Arc::new(WallClock)).expect_err(said).to_string();
        assert!(problem.starts_with(said), "{problem}");
        assert!(!problem.contains("s3cret"));
    }
}

#[tokio::test]
async fn a_client_shows_no_key() {
    let client = client("http://127.0.0.1:9/v1".to_owned());
    assert!(!format!("{client:?}").contains("s3cret"), "{client:?}");
}
