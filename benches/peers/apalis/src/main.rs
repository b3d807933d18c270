//! Calls as jobs of apalis-sqlite: enqueued first, then placed by a worker that has so many at work at once. Prints calls a
//! second, and how many commits changed something meanwhile: each is one sync of the log.
//!
//! apalis commits that jobs are taken, a batch of them at once, before the first of them begins. That they run, and that
//! they are done, with their answers, it commits for as many as have come together once the batch is used up; no job waits
//! for that, but the worker ends only after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use futures_util::stream;
use reqwest::{Client, redirect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The job.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Call {
    to: String,
}

/// Where calls are placed.
#[derive(Debug, Clone)]
struct Vendor {
    client: Client,
    url: String,
}

impl Vendor {
    fn at(base_url: &str) -> Result<Self, BoxDynError> {
        // As ours: each call on a connection of its own, lest it be sent twice.
        let client =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0).build()?;
        Ok(Self { client, url: format!("{base_url}/calls") })
    }

    async fn place(&self, call: &Call) -> Result<String, BoxDynError> {
        let body = json!({
            "fromNumber": "+13125550142",
            "toNumber": call.to,
            "patientInfo": { "firstName": "Pat", "patientId": "P-1" },
            "context": "Pat is due for a cleaning; last visit in May 2026. Prefers mornings.",
        });
        let answer: Value = self.client.post(&self.url).json(&body).send().await?.json().await?;
        Ok(answer["data"]["conversationId"].as_str().ok_or("an answer without a conversation")?.to_owned())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [base_url, calls, in_flight, path] = words.as_slice() else {
        return Err("an address, how many calls, how many at once, and a file".into());
    };
    let (calls, in_flight) = (calls.parse()?, in_flight.parse()?);
    enqueue(path, calls).await?;
    let commits = Arc::default();
    let pool = opened(path, &commits).await?;
    let before = commits.load(Ordering::Relaxed);
    let started = Instant::now();
    work_off(&pool, Vendor::at(base_url)?, calls, in_flight).await?;
    let took = started.elapsed().as_secs_f64();
    let syncs = commits.load(Ordering::Relaxed) - before;
    ensure_all_kept(&pool, calls).await?;
    println!("{} {syncs}", f64::from(calls) / took);
    Ok(())
}

/// The queue, as whoever works with it opens it. Every commit that changes something is counted.
async fn opened(path: &str, commits: &Arc<AtomicU32>) -> Result<SqlitePool, BoxDynError> {
    let commits = Arc::clone(commits);
    // What apalis reads and writes for a worker it does one after the other: a second connection would idle.
    let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
        let commits = Arc::clone(&commits);
        Box::pin(async move {
            connection.lock_handle().await?.set_commit_hook(move || {
                commits.fetch_add(1, Ordering::Relaxed);
                true
            });
            Ok(())
        })
    });
    let file = SqliteConnectOptions::new().filename(path).create_if_missing(true).pragma("synchronous", "FULL");
    let pool = pool.connect_with(file).await?;
    SqliteStorage::setup(&pool).await?;
    // `setup` turns the syncs off; and it chooses the write-ahead log by itself.
    sqlx::query("PRAGMA synchronous = FULL").execute(&pool).await?;
    let modes = sqlx::query_as("SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous");
    let modes: (String, i64) = modes.fetch_one(&pool).await?;
    if modes == ("wal".to_owned(), 2) { Ok(pool) } else { Err(format!("not durable: {modes:?}").into()) }
}

/// Enqueues the calls as another program would, before the worker's begins. So the worker's own `setup`, of which `PRAGMA
/// optimize` is a part, finds the queue filled. Without statistics of it SQLite looks through all jobs that the worker ever
/// took for each that is done: a quarter of the calls a second over 2,000 of them, a fiftieth over 20,000.
async fn enqueue(path: &str, calls: u32) -> Result<(), BoxDynError> {
    let pool = opened(path, &Arc::default()).await?;
    // Nor is a call placed again that failed, as apalis otherwise would.
    let job = |n| TaskBuilder::new(Call { to: format!("+1312{}", 2_000_000 + n) }).max_attempts(1).build();
    SqliteStorage::new(&pool).with_config(Config::default()).push_all(stream::iter((0..calls).map(job))).await?;
    pool.close().await;
    Ok(())
}

/// Places the calls, the way apalis' own documentation has a worker with several jobs at once.
async fn work_off(pool: &SqlitePool, vendor: Vendor, calls: u32, in_flight: usize) -> Result<(), BoxDynError> {
    // As many are taken at once as may be at work: with apalis' ten it is half as fast, as it commits so much more often;
    // with more, jobs are marked as taken that nobody works on. Nothing is polled at intervals: while there are jobs, the
    // next batch is fetched as soon as the last is used up.
    let config = Config::default().batch_size(in_flight);
    let worker = WorkerBuilder::new("calls")
        .backend(SqliteStorage::<Call>::new(pool).with_config(config))
        .concurrency(in_flight)
        .parallelize(tokio::spawn)
        .data(vendor)
        .data(Arc::new(AtomicU32::new(calls)))
        .on_event(|_, event| {
            if let Event::Error(error) = event {
                eprintln!("{error}");
            }
        })
        .build(place);
    Ok(worker.run().await?)
}

/// What a job does. After the last of them, or one that fails, the worker is told to end: it would wait for more.
async fn place(
    call: Call,
    vendor: Data<Vendor>,
    left: Data<Arc<AtomicU32>>,
    worker: WorkerContext,
) -> Result<String, BoxDynError> {
    let answer = vendor.place(&call).await;
    if left.fetch_sub(1, Ordering::Relaxed) == 1 || answer.is_err() {
        worker.stop()?;
    }
    answer
}

async fn ensure_all_kept(pool: &SqlitePool, calls: u32) -> Result<(), BoxDynError> {
    let done = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done' AND last_result IS NOT NULL");
    let done: u32 = done.fetch_one(pool).await?;
    if done == calls { Ok(()) } else { Err(format!("{done} of {calls} calls are done").into()) }
}
