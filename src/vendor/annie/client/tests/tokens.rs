//! OAuth: tokens are fetched once, renewed in time, and dropped when rejected.

use super::*;
use crate::vendor::annie::auth::ClientCredentials;

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("an instant")
}

fn oauth(base: String, clock: &Arc<ScaledClock>) -> AnnieClient {
    oauth_with_timeout(base, clock, Duration::from_secs(10))
}

fn oauth_with_timeout(base: String, clock: &Arc<ScaledClock>, timeout: Duration) -> AnnieClient {
    let credentials = Credentials::ClientCredentials(ClientCredentials {
        id: "me".to_owned(),
        secret: SecretString::from("s3cret"),
        token_url: None,
        audience: "https://api.helloannie.com".to_owned(),
    });
    AnnieClient::new(ClientSettings { credentials, timeout, ..settings(base) }, clock.clone()).expect("a client")
}

fn frozen_clock() -> Arc<ScaledClock> {
    Arc::new(ScaledClock::starting_at(noon(), 1e-9))
}

fn token(name: &str) -> Behaviour {
    let body = format!(r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":86400}}"#);
    Behaviour::Answer(answer(200, &[], &body))
}

fn status(status: u16) -> Behaviour {
    Behaviour::Answer(answer(status, &["connection: close"], "{}"))
}

fn accepted() -> Behaviour {
    Behaviour::Answer(answer(200, &[], ACCEPTED))
}

fn page() -> Behaviour {
    Behaviour::Answer(answer(200, &["connection: close"], r#"{"success":true,"data":{"conversations":[]}}"#))
}

/// Each request as its path and token: `/v1/calls t-1`.
fn outline(server: &Server) -> Vec<String> {
    let short = |request: String| {
        let path = request.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let token = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer ").map(str::to_owned));
        token.map_or(path.clone(), |token| format!("{path} {token}"))
    };
    server.seen().into_iter().map(short).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let server = Server::playing([token("t-1"), accepted(), accepted(), accepted()]).await;
    let client = oauth(server.base(), &frozen_clock());
    for _ in 0..3 {
        assert!(matches!(client.place(call()).await.value, Reply::Accepted(_)));
    }
    assert_eq!(outline(&server), ["/oauth/token", "/v1/calls t-1", "/v1/calls t-1", "/v1/calls t-1"]);
    let request = &server.seen()[0];
    let expected = r#"{"grant_type":"client_credentials","client_id":"me","client_secret":"s3cret","audience":"https://api.helloannie.com"}"#;
    assert!(request.ends_with(expected), "{request}");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let server = Server::playing([token("t-1"), accepted(), accepted(), token("t-2"), accepted()]).await;
    let clock = frozen_clock();
    let client = oauth(server.base(), &clock);
    client.place(call()).await;
    clock.skip(TimeDelta::hours(24) - TimeDelta::minutes(6));
    client.place(call()).await;
    clock.skip(TimeDelta::minutes(2));
    client.place(call()).await;
    assert_eq!(outline(&server), ["/oauth/token", "/v1/calls t-1", "/v1/calls t-1", "/oauth/token", "/v1/calls t-2"]);
}

#[tokio::test]
async fn a_token_that_still_works_outlives_a_failed_renewal() {
    let server = Server::playing([token("t-1"), accepted(), status(500), accepted(), accepted(), status(500)]).await;
    let clock = frozen_clock();
    let client = oauth(server.base(), &clock);
    client.place(call()).await;
    clock.skip(TimeDelta::hours(24) - TimeDelta::minutes(4));
    client.place(call()).await;
    client.place(call()).await;
    clock.skip(TimeDelta::minutes(5));
    assert_eq!(client.place(call()).await.value, Reply::NotPlaced(NotPlaced::NeverConnected));
    assert_eq!(
        outline(&server),
        ["/oauth/token", "/v1/calls t-1", "/oauth/token", "/v1/calls t-1", "/v1/calls t-1", "/oauth/token"]
    );
}

#[tokio::test]
async fn a_refused_call_is_not_sent_again_and_the_next_one_has_a_new_token() {
    let says = |status, message: &str| Behaviour::Answer(answer(status, &[], &format!(r#"{{"message":"{message}"}}"#)));
    for (refused, message) in [(401, ""), (403, "invalid access token")] {
        let server = Server::playing([token("t-1"), says(refused, message), token("t-2"), accepted()]).await;
        let client = oauth(server.base(), &frozen_clock());
        let first = client.place(call()).await.value;
        let unauthorised = Refused { message: message.into(), ..Refused::bare(refused, Concern::Credentials) };
        assert_eq!(first, Reply::NotPlaced(NotPlaced::Refused(unauthorised)));
        assert_eq!(outline(&server), ["/oauth/token", "/v1/calls t-1"]);
        assert!(matches!(client.place(call()).await.value, Reply::Accepted(_)));
        assert_eq!(outline(&server)[2..], ["/oauth/token", "/v1/calls t-2"]);
    }
}

#[tokio::test]
async fn a_refused_read_is_tried_once_more_with_a_new_token() {
    let server = Server::playing([token("t-1"), status(401), token("t-2"), page()]).await;
    assert!(oauth(server.base(), &frozen_clock()).page(0, 100).await.value.is_ok());
    let twice = ["/oauth/token", "/v1/conversations t-1", "/oauth/token", "/v1/conversations t-2"];
    assert_eq!(outline(&server), twice);

    let server = Server::playing([token("t-1"), status(401), token("t-2"), status(401)]).await;
    assert_eq!(oauth(server.base(), &frozen_clock()).page(0, 100).await.value, Err(ReadError::Unauthorised(401)));
    assert_eq!(outline(&server), twice);
}

#[tokio::test]
async fn without_a_token_no_call_is_sent() {
    for (behaviour, why) in [
        (status(401), NotPlaced::refused(401, Concern::Credentials)),
        (status(403), NotPlaced::refused(403, Concern::Credentials)),
        (status(429), NotPlaced::NeverConnected),
        (status(503), NotPlaced::NeverConnected),
        (status(302), NotPlaced::NeverConnected),
        (Behaviour::Reset, NotPlaced::NeverConnected),
        (Behaviour::AnswerThenHang(vec![]), NotPlaced::NeverConnected),
        (Behaviour::Answer(answer(200, &[], "{}")), NotPlaced::NeverConnected),
        (Behaviour::Answer(answer(200, &[], r#"{"access_token":"a\nb"}"#)), NotPlaced::NeverConnected),
        (Behaviour::Answer(answer(200, &[], &"x".repeat(100_000))), NotPlaced::NeverConnected),
    ] {
        let server = Server::playing([behaviour.clone()]).await;
        let answer = oauth_with_timeout(server.base(), &frozen_clock(), timeout_for(&behaviour)).place(call()).await;
        assert_eq!(answer, Response::bare(Reply::NotPlaced(why)), "{behaviour:?}");
        assert_eq!(outline(&server), ["/oauth/token"]);
    }
}

#[tokio::test]
async fn concurrent_requests_share_one_token_fetch() {
    let late = |behaviour| {
        let Behaviour::Answer(bytes) = behaviour else { panic!("an answer") };
        Behaviour::AnswerLate(Duration::from_millis(100), bytes)
    };
    let server = Server::playing([late(token("t-1")), accepted()]).await;
    let client = oauth(server.base(), &frozen_clock());
    let calls = futures_util::future::join_all((0..10).map(|_| client.place(call()))).await;
    assert!(calls.iter().all(|answer| matches!(answer.value, Reply::Accepted(_))));
    assert_eq!(outline(&server).iter().filter(|line| *line == "/oauth/token").count(), 1);

    let server = Server::playing([late(status(503))]).await;
    let client = oauth(server.base(), &frozen_clock());
    let calls = futures_util::future::join_all((0..10).map(|_| client.place(call()))).await;
    assert!(calls.iter().all(|answer| answer.value == Reply::NotPlaced(NotPlaced::NeverConnected)));
    assert_eq!(outline(&server), ["/oauth/token"]);
}

#[test]
fn the_token_endpoint_must_be_as_safe_as_the_api() {
    let credentials = |url: &str| {
        Credentials::from_parts(None, Some("me".to_owned()), Some("s3cret".to_owned()), Some(url.to_owned()))
    };
    let made = |url: &str| {
        let credentials = credentials(url).expect("credentials");
        AnnieClient::new(ClientSettings::new(credentials), Arc::new(WallClock)).map(|_| ())
    };
    assert_eq!(made("http://tokens.example/"), Err(ClientError::TokenUrl(AddressError::PlainHttp)));
    assert_eq!(made("https://tokens.example/oauth/token"), Ok(()));
    assert_eq!(made(""), Ok(()));
}

#[tokio::test]
async fn a_wave_of_calls_with_a_revoked_token_counts_once() {
    let server = Server::playing([token("t-1"), status(401), status(401), status(401), token("t-2"), accepted()]).await;
    let client = oauth(server.base(), &frozen_clock());
    let (first, second, third) = tokio::join!(client.place(call()), client.place(call()), client.place(call()));
    let replies = [first.value, second.value, third.value];
    let count = |what: NotPlaced| replies.iter().filter(|reply| **reply == Reply::NotPlaced(what.clone())).count();
    let unauthorised = NotPlaced::refused(401, Concern::Credentials);
    assert_eq!((count(unauthorised), count(NotPlaced::StaleToken)), (1, 2), "{replies:?}");
    assert!(matches!(client.place(call()).await.value, Reply::Accepted(_)), "with the new token");
}

#[tokio::test]
async fn a_slow_token_endpoint_does_not_shorten_the_calls_timeout() {
    let late = |behaviour: Behaviour| match behaviour {
        Behaviour::Answer(bytes) => Behaviour::AnswerLate(Duration::from_millis(700), bytes),
        other @ (Behaviour::AnswerThenReset(_)
        | Behaviour::ResetUnread
        | Behaviour::Reset
        | Behaviour::AnswerThenHang(_)
        | Behaviour::AnswerLate(..)) => other,
    };
    let server = Server::playing([late(token("t-1")), late(accepted()), late(page())]).await;
    let client = oauth_with_timeout(server.base(), &frozen_clock(), Duration::from_secs(1));
    assert!(matches!(client.place(call()).await.value, Reply::Accepted(_)));
    assert!(client.page(0, 100).await.value.is_ok());
}
