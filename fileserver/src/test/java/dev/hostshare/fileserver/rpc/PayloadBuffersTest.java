package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PayloadBuffersTest {
  private final PayloadBuffers buffers = new PayloadBuffers(4096);

  @Test
  void theOneUsedLastIsUsedNext() {
    PayloadBuffers.Buffer a = buffers.take();
    PayloadBuffers.Buffer b = buffers.take();
    assertNotSame(a, b);
    assertEquals(4096, a.memory.byteSize());
    b.close();
    a.close();
    assertSame(a, buffers.take());
    assertSame(b, buffers.take());
  }

  @Test
  void thoseOfACrowdAreFreed() {
    List<PayloadBuffers.Buffer> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(buffers.take());
    }
    all.forEach(PayloadBuffers.Buffer::close);
    assertEquals(8, all.stream().filter(buffer -> buffer.memory.scope().isAlive()).count());
    assertFalse(all.getLast().memory.scope().isAlive());
  }
}
