//! A scanner that speaks clamd's protocol and knows one virus: the test file of the European Institute for Computer
//! Antivirus Research.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The virus. In two parts here, so that no scanner takes this source for infected.
pub fn eicar() -> Vec<u8> {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}

/// The scanner; it ends when dropped.
#[derive(Debug)]
pub struct Clamd {
    /// Where it listens.
    pub at: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Clamd {
    /// Starts listening; port 0 picks a free one.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(at: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let at = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // Who breaks off is answered nothing.
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket));
            }
        });
        Ok(Self { at, task })
    }

    /// Ends it; returns when nobody can connect any more.
    pub async fn stop(mut self) {
        self.task.abort();
        // It ends because it was told to.
        let _ = (&mut self.task).await;
    }
}

async fn answer(mut socket: TcpStream) -> std::io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    if &command != b"zINSTREAM\0" {
        return socket.write_all(b"UNKNOWN COMMAND\0").await;
    }
    let mut content = Vec::new();
    loop {
        let length = socket.read_u32().await?;
        if length == 0 {
            break;
        }
        let begin = content.len();
        content.resize(begin + length as usize, 0);
        socket.read_exact(&mut content[begin..]).await?;
    }
    let answer: &[u8] =
        if content == eicar() { b"stream: Eicar-Test-Signature FOUND\0" } else { b"stream: OK\0" };
    socket.write_all(answer).await
}
