//! The tasks of the systems on their thread, and who takes which order.
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearthline_speaker::io::skills::Outside;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Wires;
use crate::exchange::{Order, Orders, Setup, SystemPlace};

/// Orders that wait for one system.
const ORDERS_MAX: usize = 64;
/// How long a task that is no longer wanted may take to say farewell to its system. Nobody waits for it but the task that
/// takes its place.
const FAREWELL_MAX: Duration = Duration::from_secs(20);

/// A system's task, once it has its wires.
type Begins = Box<dyn FnOnce(Wires) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// One task, by what the systems that it speaks to are called.
pub(super) struct Spoken {
    /// Key and label of each.
    pub(super) named: Vec<(String, String)>,
    /// How it begins; none: it runs already, and stays.
    pub(super) begins: Option<Begins>,
    /// It ends by itself when it is told that nobody orders any more.
    pub(super) says_farewell: bool,
}

impl Spoken {
    /// One that begins now.
    pub(super) fn anew<F: Future<Output = ()> + Send + 'static>(
        named: &[(&str, &str)],
        run: impl FnOnce(Wires) -> F + Send + 'static,
    ) -> Self {
        Self {
            begins: Some(Box::new(|wires| Box::pin(run(wires)))),
            ..Self::staying(named)
        }
    }

    /// One that goes on.
    pub(super) fn staying(named: &[(&str, &str)]) -> Self {
        let owned = |(key, label): &(&str, &str)| ((*key).to_owned(), (*label).to_owned());
        Self {
            named: named.iter().map(owned).collect(),
            begins: None,
            says_farewell: false,
        }
    }
}

/// All the systems of a configuration, the preferred first.
pub(super) struct Systems {
    pub(super) room: String,
    pub(super) spoken: Vec<Spoken>,
}

/// A task that runs.
struct Runs {
    keys: Vec<String>,
    orders: mpsc::Sender<Vec<Order>>,
    task: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    says_farewell: bool,
}

impl Runs {
    /// From now on it tells the skill nothing. Until it has ended.
    fn ends(self) -> JoinHandle<()> {
        let Self {
            orders,
            task,
            is_over,
            says_farewell,
            ..
        } = self;
        is_over.store(true, Ordering::Relaxed);
        drop(orders);
        let left = task.abort_handle();
        if !says_farewell {
            left.abort();
        }
        tokio::spawn(async move {
            if tokio::time::timeout(FAREWELL_MAX, task).await.is_err() {
                left.abort();
            }
        })
    }
}

/// Runs the tasks until the skill is gone.
pub(super) fn run(outside: Outside, mut comes: mpsc::UnboundedReceiver<Systems>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        tracing::warn!("lights and devices: no runtime");
        return;
    };
    let Outside { mut asked, tell } = outside;
    runtime.block_on(async {
        let mut all: Vec<Runs> = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(systems) = comes.recv() => all = follow(all, systems, &tell).await,
                value = asked.recv() => match value {
                    Some(value) => hand_on(&all, value),
                    None => return,
                },
            }
        }
    });
}

/// What the skill gives out goes to the system that it names.
fn hand_on(all: &[Runs], value: Value) {
    let Ok(Orders { system, orders }) = serde_json::from_value(value) else {
        return;
    };
    let runs = all.iter().find(|runs| runs.keys.contains(&system));
    let sent = runs.map(|runs| runs.orders.try_send(orders));
    if !matches!(sent, Some(Ok(()))) {
        // The skill says after its wait that nothing answered.
        tracing::warn!(system, "orders that nobody takes");
    }
}

/// Ends what is no longer wanted, tells the skill, begins what is new: each once the one before it has ended.
async fn follow(mut before: Vec<Runs>, systems: Systems, tell: &mpsc::Sender<Value>) -> Vec<Runs> {
    let Systems { room, spoken } = systems;
    let (mut all, mut places, mut begins) = (Vec::new(), Vec::new(), Vec::new());
    for one in spoken {
        let keys: Vec<String> = one.named.iter().map(|(key, _)| key.clone()).collect();
        let is_kept = one.begins.is_none();
        places.extend(one.named.into_iter().map(|(key, label)| SystemPlace {
            key,
            label,
            is_kept,
        }));
        match one.begins {
            Some(first) => begins.push((keys, first, one.says_farewell)),
            None => {
                let runs = before.iter().position(|runs| runs.keys == keys);
                all.extend(runs.map(|at| before.swap_remove(at)));
            }
        }
    }
    let mut ending: HashMap<Vec<String>, JoinHandle<()>> = HashMap::new();
    for runs in before {
        ending.insert(runs.keys.clone(), runs.ends());
    }
    let setup = Setup {
        room,
        systems: places,
    };
    let _ = tell.send(json!({ "setup": setup })).await;
    for (keys, first, says_farewell) in begins {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let is_over = Arc::new(AtomicBool::new(false));
        let wires = Wires {
            orders: receiver,
            tell: tell.clone(),
            is_over: Arc::clone(&is_over),
        };
        let before = ending.remove(&keys);
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            first(wires).await;
        });
        all.push(Runs {
            keys,
            orders,
            task,
            is_over,
            says_farewell,
        });
    }
    all
}
