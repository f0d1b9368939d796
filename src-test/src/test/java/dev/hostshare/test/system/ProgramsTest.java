package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Programs that notice when a file system is not quite one: git, SQLite, tar, rsync. */
@SystemTest
class ProgramsTest {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static Lab lab;

  @BeforeAll
  static void start() {
    lab = Lab.start();
  }

  @AfterAll
  static void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  /** Runs in the guest; $mnt: the mount, $tmp: an empty local folder. */
  private static String shell(String script) {
    return lab.guest()
        .shell(
            LIMIT,
            "mnt=" + lab.mnt() + "; tmp=$(mktemp -d); trap 'rm -rf $tmp' EXIT; cd $mnt\n" + script);
  }

  @Test
  void gitCloneStaysCleanOverARemount() {
    var git =
        """
        export GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
        export GIT_CONFIG_KEY_1=user.email GIT_CONFIG_VALUE_1=a@example.org
        export GIT_CONFIG_KEY_2=user.name GIT_CONFIG_VALUE_2=A
        """;
    shell(
        git
            + """
            git init -q $tmp/origin
            cd $tmp/origin
            for d in $(seq 30); do
              mkdir -p src/d$d
              for f in $(seq 20); do echo "file $f of $d" > src/d$d/f$f; done
            done
            printf '#!/bin/sh\\n' > run; chmod +x run; ln -s run link
            git add -A; git commit -qm one
            echo more >> run; git commit -qam two
            git clone -q $tmp/origin $mnt/clone
            cd $mnt/clone
            git fsck --full --strict
            test -z "$(git status --porcelain)"
            git checkout -q HEAD~1; git checkout -q -; git gc -q
            git branch topic; git checkout -q topic; git rm -q -r src/d1; git commit -qm three
            git merge -q --no-edit topic
            """);
    lab.unmount();
    lab.mount();
    assertEquals("", shell(git + "cd clone; git fsck --full; git status --porcelain"));
  }

  @Test
  void sqliteSurvivesTwoWriters() {
    for (var journal : new String[] {"delete", "wal"}) {
      assertEquals(
          "ok\n400\n400",
          shell(
              """
              db=$mnt/%1$s.db
              sqlite3 $db "pragma journal_mode=%1$s; create table t (who text, n int); create index i on t (n)" >/dev/null
              writer() {
                for n in $(seq 20); do
                  echo '.timeout 60000'
                  echo 'begin immediate;'
                  for m in $(seq 10); do echo "insert into t values ('$1', $n * 100 + $m);"; done
                  echo 'commit;'
                done | sqlite3 -bail $db
              }
              writer a & a=$!
              writer b & b=$!
              wait $a; wait $b
              sqlite3 $db 'pragma integrity_check; select count(*) from t; select count(distinct who || n) from t'
              """
                  .formatted(journal)));
    }
  }

  /** A tree with every kind of file, its owners, modes, times, links, attributes and ACLs. */
  private static final String TREE =
      """
      tree() {
        mkdir -p $1/dir/sub $1/empty
        for n in $(seq 200); do echo "content $n" > $1/dir/f$n; done
        head -c 3000000 /dev/urandom > $1/big
        truncate -s 10M $1/sparse; echo end >> $1/sparse
        ln $1/big $1/dir/hard; ln -s ../big $1/dir/soft; ln -s nowhere $1/dangling
        mkfifo $1/fifo; mknod $1/null c 1 3; mknod $1/disk b 8 1
        chown -R 999:998 $1/dir; chown -h 997:996 $1/dangling; chown 995:994 $1/null
        chmod 4755 $1/dir/f1; chmod 2770 $1/dir/sub; chmod 1777 $1/empty; chmod 000 $1/dir/f2
        setfattr -n user.note -v 'a note' $1/dir/f3; setfattr -n user.note -v dir $1/empty
        setcap cap_net_bind_service+ep $1/dir/f6
        setfacl -m u:1001:rw,g:1002:r $1/dir/f4; setfacl -d -m u:1001:rwx $1/dir/sub
        touch -h -d '1999-12-31 23:59:59.123456789' $1/dangling $1/dir/soft
        # rsync compares these to the second only: not now.
        touch -d '2002-03-04 05:06:07.5' $1/fifo $1/null $1/disk
        touch -d '2001-02-03 04:05:06.987654321' $1/dir/f5 $1/dir/sub
        touch -d '2033-02-03 04:05:06.000000001' $1/dir
        printf 'odd name' > "$1/odd $(printf '\\n\\t\\377')"
      }
      # Everything that can be told of a tree, in a fixed order. A directory's size is the file system's business.
      tell() {
        ( cd $1
          find . -mindepth 1 -type d -printf '%P %y %m %U %G %T@\\n' -o -printf '%P %y %m %U %G %n %s %l %T@\\n' | sort
          find . -type f -print0 | sort -z | xargs -0 sha256sum
          find . -print0 | sort -z | xargs -0 getfattr -h -d -m -
          find . \\( -type f -o -type d \\) -print0 | sort -z | xargs -0 getfacl -n
          ls -lnR . | grep -E '^[bc]' )
      }
      compare() { diff <(tell $1) <(tell $2); }
      """;

  @Test
  void tarThereAndBackIsTheSame() {
    shell(
        TREE
            + """
            mkdir $tmp/a $mnt/tar $tmp/b
            tree $tmp/a
            opts='--xattrs --xattrs-include=* --acls --sparse --numeric-owner'
            tar -C $tmp/a $opts -cf - . | tar -C $mnt/tar $opts -xpf -
            tar -C $mnt/tar $opts -cf - . | tar -C $tmp/b $opts -xpf -
            compare $tmp/a $mnt/tar
            compare $tmp/a $tmp/b
            """);
  }

  @Test
  void rsyncThereAndBackIsTheSame() {
    shell(
        TREE
            + """
            mkdir $tmp/a $mnt/rsync $tmp/b
            tree $tmp/a
            rsync -aHAXS --numeric-ids $tmp/a/ $mnt/rsync/
            compare $tmp/a $mnt/rsync
            test -z "$(rsync -aHAXSni --numeric-ids --checksum --delete $tmp/a/ $mnt/rsync/)"
            rsync -aHAXS --numeric-ids $mnt/rsync/ $tmp/b/
            compare $tmp/a $tmp/b
            """);
  }
}
