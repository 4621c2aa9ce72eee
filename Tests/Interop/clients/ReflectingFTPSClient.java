import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import org.apache.commons.net.ftp.FTPSClient;

/**
 * The way that Commons Net's users have passed on since NET-408: the control connection's session
 * is put into Java's cache under the data connection's port. Needs --add-opens since Java 9.
 */
public class ReflectingFTPSClient extends FTPSClient {
    public ReflectingFTPSClient(SSLContext context) {
        super(false, context);
        setEndpointCheckingEnabled(true);
    }

    @Override
    protected void _prepareDataSocket_(Socket socket) {
        if (!(socket instanceof SSLSocket)) {
            return;
        }
        try {
            SSLSession session = ((SSLSocket) _socket_).getSession();
            SSLSessionContext context = session.getSessionContext();
            Field field = context.getClass().getDeclaredField("sessionHostPortCache");
            field.setAccessible(true);
            Object cache = field.get(context);
            Method put = cache.getClass().getDeclaredMethod("put", Object.class, Object.class);
            put.setAccessible(true);
            put.invoke(cache, socket.getInetAddress().getHostAddress() + ":" + socket.getPort(),
                session);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }
}
