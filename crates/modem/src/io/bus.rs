//! The bus's socket: a task that reads, a task that writes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::address::BusAddress;

const READ_BYTES: usize = 16 * 1024;
/// Messages that may wait to be written.
const WAITING_MAX: usize = 1_024;

/// What the bus's socket brings; the number says of which connection.
#[derive(Debug)]
pub(crate) enum BusNews {
    Opened(u64),
    Bytes(u64, Vec<u8>),
    Closed(u64),
}

/// One connection. Dropping it closes it.
pub(crate) struct BusSocket {
    pub(crate) number: u64,
    writing: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<()>,
}

impl BusSocket {
    /// Connects in the background and tells how that went.
    pub(crate) fn open(address: BusAddress, number: u64, news: mpsc::Sender<BusNews>) -> Self {
        let (writing, waiting) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(async move {
            run(&address, number, &news, waiting).await;
            let _ = news.send(BusNews::Closed(number)).await;
        });
        Self {
            number,
            writing,
            task,
        }
    }

    /// Sends bytes; false: the daemon takes none any more.
    pub(crate) fn send(&self, bytes: Vec<u8>) -> bool {
        self.writing.try_send(bytes).is_ok()
    }
}

impl Drop for BusSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    address: &BusAddress,
    number: u64,
    news: &mpsc::Sender<BusNews>,
    mut waiting: mpsc::Receiver<Vec<u8>>,
) {
    let Ok(socket) = address.connect().await else {
        return;
    };
    if news.send(BusNews::Opened(number)).await.is_err() {
        return;
    }
    let (mut reader, mut writer) = socket.into_split();
    let read = async {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let bytes = BusNews::Bytes(number, buffer[..count].to_vec());
                    if news.send(bytes).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    let write = async {
        while let Some(bytes) = waiting.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}
