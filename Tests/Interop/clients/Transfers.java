import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPSClient;

/** Uploads, downloads and lists some files over one control connection; prints replies. */
public class Transfers {
    public static void main(String[] arguments) throws Exception {
        String kind = arguments[0];
        int port = Integer.parseInt(arguments[2]);
        int count = Integer.parseInt(arguments[4]);
        SSLContext context = SSLContext.getDefault();
        FTPSClient client = switch (kind) {
            case "stock" -> new FTPSClient(false, context);
            case "reflecting" -> new ReflectingFTPSClient(context);
            case "resuming" -> new ResumingFTPSClient(context);
            default -> throw new IllegalArgumentException(kind);
        };
        client.setEndpointCheckingEnabled(true);
        if (!arguments[3].equals("any")) {
            client.setEnabledProtocols(new String[] {arguments[3]});
        }
        client.setConnectTimeout(20_000);
        client.setDefaultTimeout(20_000);
        client.connect(arguments[1], port);
        String[] login = new String(System.in.readAllBytes(), "UTF-8").split("\n");
        if (!client.login(login[0], login[1])) {
            throw new IllegalStateException(client.getReplyString());
        }
        client.execPBSZ(0);
        client.execPROT("P");
        client.enterLocalPassiveMode();
        client.setFileType(FTP.BINARY_FILE_TYPE);
        try {
            for (int number = 0; number < count; number++) {
                byte[] content = new byte[number * 10_000];
                Arrays.fill(content, (byte) ('a' + number % 26));
                String name = "java" + number;
                check(client, client.storeFile(name, new ByteArrayInputStream(content)));
                ByteArrayOutputStream received = new ByteArrayOutputStream();
                check(client, client.retrieveFile(name, received));
                check(client, Arrays.equals(content, received.toByteArray()));
                check(client, client.listFiles().length == number + 1);
            }
            System.out.println("complete");
        } catch (Exception error) {
            System.out.println("failed: " + error + " " + client.getReplyString());
        }
        client.sendNoOp();
        System.out.println(client.getReplyString());
        client.logout();
        client.disconnect();
    }

    private static void check(FTPSClient client, boolean isGood) {
        if (!isGood) {
            throw new IllegalStateException("refused");
        }
    }
}
