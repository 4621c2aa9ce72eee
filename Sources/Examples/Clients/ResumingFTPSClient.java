import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.apache.commons.net.ftp.FTPSClient;

/**
 * Apache Commons Net's FTPSClient with the one change that require_ssl_reuse=YES asks for.
 *
 * Java looks for a TLS session to resume under the host and port that a socket leads to. Here a
 * data connection is made in clear and put under TLS behind a socket that tells the control
 * connection's port. That needs neither reflection nor flags, under TLS 1.2 and 1.3.
 */
public class ResumingFTPSClient extends FTPSClient {
    private final SSLContext context;
    private boolean isPrivate;

    /** Creates a client for explicit FTPS; {@link SSLContext#getDefault()} is the usual context. */
    public ResumingFTPSClient(SSLContext context) {
        super(false, context);
        this.context = context;
        setEndpointCheckingEnabled(true);
    }

    @Override
    public void execPROT(String level) throws IOException {
        super.execPROT(level);
        isPrivate = "P".equals(level);
        if (isPrivate) {
            setSocketFactory(null);
        }
    }

    @Override
    protected Socket _openDataConnection_(String command, String argument) throws IOException {
        Socket plain = super._openDataConnection_(command, argument);
        if (plain == null || !isPrivate || plain instanceof SSLSocket) {
            return plain;
        }
        SSLSocket control = (SSLSocket) _socket_;
        String host = control.getSession().getPeerHost();
        Socket renamed = new RenamedSocket(plain, control.getPort());
        SSLSocket data = (SSLSocket) context.getSocketFactory()
            .createSocket(renamed, host, control.getPort(), true);
        data.setSSLParameters(control.getSSLParameters());
        data.startHandshake();
        return data;
    }

    /** A connected socket that tells another port than the one it leads to. */
    private static final class RenamedSocket extends Socket {
        private final Socket socket;
        private final int port;

        RenamedSocket(Socket socket, int port) {
            this.socket = socket;
            this.port = port;
        }

        @Override public int getPort() { return port; }
        @Override public boolean isConnected() { return socket.isConnected(); }
        @Override public boolean isBound() { return socket.isBound(); }
        @Override public boolean isClosed() { return socket.isClosed(); }
        @Override public boolean isInputShutdown() { return socket.isInputShutdown(); }
        @Override public boolean isOutputShutdown() { return socket.isOutputShutdown(); }
        @Override public InetAddress getInetAddress() { return socket.getInetAddress(); }
        @Override public InetAddress getLocalAddress() { return socket.getLocalAddress(); }
        @Override public int getLocalPort() { return socket.getLocalPort(); }
        @Override public SocketAddress getLocalSocketAddress() {
            return socket.getLocalSocketAddress();
        }
        @Override public SocketAddress getRemoteSocketAddress() {
            return socket.getRemoteSocketAddress();
        }
        @Override public InputStream getInputStream() throws IOException {
            return socket.getInputStream();
        }
        @Override public OutputStream getOutputStream() throws IOException {
            return socket.getOutputStream();
        }
        @Override public void setSoTimeout(int timeout) throws SocketException {
            socket.setSoTimeout(timeout);
        }
        @Override public int getSoTimeout() throws SocketException {
            return socket.getSoTimeout();
        }
        @Override public void setTcpNoDelay(boolean on) throws SocketException {
            socket.setTcpNoDelay(on);
        }
        @Override public void setSoLinger(boolean on, int linger) throws SocketException {
            socket.setSoLinger(on, linger);
        }
        @Override public int getSoLinger() throws SocketException { return socket.getSoLinger(); }
        @Override public void shutdownInput() throws IOException { socket.shutdownInput(); }
        @Override public void shutdownOutput() throws IOException { socket.shutdownOutput(); }
        @Override public void close() throws IOException { socket.close(); }
    }
}
